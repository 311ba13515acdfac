import type { Decision, StreamAsk, StreamListener, SubscribeStream } from '@carillon/policy';
import type { SubscribeResult } from '@carillon/protocol/proxy';
import { OperationalError } from '@carillon/service-kit';

import type { BackendStream } from '../backend/backend.ts';
import { parentOf } from './ask-parent.ts';
import { decideSubscribeStream } from './decide-subscribe-stream.ts';
import type { ProxyEndpoint } from '../proxy/proxy-registry.ts';

/** A subscribe stream in the process that talks to the backend, which can hold the backend back. */
export interface BackedStream extends SubscribeStream {
  pause(): void;
  resume(): void;
}

export interface BackedStreamOptions {
  readonly endpoint: ProxyEndpoint;
  readonly ask: StreamAsk;
  readonly listener: StreamListener;
  readonly onBug: (error: unknown) => void;
}

/** Opens a stream of the backend; a decision other than a result cancels it again. */
export function openBackedStream({ endpoint, ask, listener, onBug }: BackedStreamOptions): BackedStream {
  const { isBidirectional, origin } = ask;
  const message = decideSubscribeStream.prepare(ask.message, endpoint.options);
  const stream = endpoint.backend.openStream({ message, origin, isBidirectional, parent: parentOf(ask) }, listener);
  const close = (): void => stream.cancel(new OperationalError('stream_closed', 'nobody listens any more'));

  async function decide(): Promise<Decision<SubscribeResult>> {
    const decision = await firstDecision(stream, onBug);
    if (decision.kind !== 'result') close();
    return decision;
  }

  return {
    decision: decide(),
    publish: async (data) => stream.publish(data),
    close,
    pause: () => stream.pause(),
    resume: () => stream.resume(),
  };
}

async function firstDecision(
  stream: BackendStream,
  onBug: (error: unknown) => void,
): Promise<Decision<SubscribeResult>> {
  try {
    return decideSubscribeStream.decide(await stream.first);
  } catch (error) {
    if (error instanceof OperationalError) return { kind: 'failed', reason: `${error.code}: ${error.message}` };
    onBug(error);
    return { kind: 'failed', reason: 'internal error' };
  }
}

/** There is nobody to open a stream to. */
export function noStream(reason: string): BackedStream {
  const nothing = (): void => undefined;
  return {
    decision: Promise.resolve({ kind: 'failed', reason }),
    publish: async () => false,
    close: nothing,
    pause: nothing,
    resume: nothing,
  };
}
