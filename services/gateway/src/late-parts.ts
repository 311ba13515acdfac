import { NO_SESSIONS, type ControlHandler, type EngineParts, type LiveReceiver } from '@carillon/cluster';

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
  // A node that is still starting holds no sessions: so it says, for others may know of it already, and wait for it.
  const current = (): ControlHandler => bound?.handler ?? NO_SESSIONS;
  const handler: ControlHandler = {
    apply: (command) => current().apply(command),
    answer: (question) => current().answer(question),
    emulate: (session, frame) => current().emulate(session, frame),
  };
  return {
    receiver,
    handler,
    bind(parts) {
      bound = parts;
    },
  };
}
