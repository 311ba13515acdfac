import type { ControlHandler, EngineParts, LiveReceiver } from '@carillon/cluster';

/**
 * Engine and hub need each other: the engine is made first and gets a receiver that passes on to the hub as soon as it
 * is there. Nothing arrives before: no channel is joined until a client is accepted.
 */
export interface LateParts extends EngineParts {
  bind(parts: EngineParts): void;
}

export function createLateParts(): LateParts {
  let bound: EngineParts | undefined;
  const receiver: LiveReceiver = {
    onPublication: (channel, publication) => bound?.receiver.onPublication(channel, publication),
    onJoin: (channel, info) => bound?.receiver.onJoin(channel, info),
    onLeave: (channel, info) => bound?.receiver.onLeave(channel, info),
    onPositionLost: (channel) => bound?.receiver.onPositionLost(channel),
  };
  const handlerOrFail = (): ControlHandler => {
    if (bound === undefined) throw new Error('this node is still starting');
    return bound.handler;
  };
  const handler: ControlHandler = {
    apply: async (command) => handlerOrFail().apply(command),
    answer: async (question) => handlerOrFail().answer(question),
    emulate: async (session, frame) => handlerOrFail().emulate(session, frame),
  };
  return {
    receiver,
    handler,
    bind(parts) {
      bound = parts;
    },
  };
}
