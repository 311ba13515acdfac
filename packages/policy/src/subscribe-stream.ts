import type { Publication, SubscribeRequest, SubscribeResult } from '@carillon/protocol/proxy';

import type { Ask, Decision } from './decision-service.ts';

/** A question whose answer is a stream of the backend's own publications for this one client (proxy.md §6.7). */
export interface StreamAsk extends Ask<SubscribeRequest> {
  /** The client may publish into the stream. */
  readonly isBidirectional: boolean;
}

/**
 * An open or opening subscribe stream. Whoever asked for it owns it: it lasts until it ends by itself or is closed.
 */
export interface SubscribeStream {
  /** Never rejects. After anything but a result there is no stream, and the listener is never called. */
  readonly decision: Promise<Decision<SubscribeResult>>;
  /** Whether the publication was handed to the backend; false also for a stream that is not bidirectional or has ended. */
  publish(data: Uint8Array): Promise<boolean>;
  /** Gives it up: the backend's call is cancelled and the listener called no more. Harmless when it has ended. */
  close(): void;
}

/** Called in order, perhaps before the decision has reached who waits for it; `onEnd` at most once and last. */
export interface StreamListener {
  onPublication(publication: Publication): void;
  /** `completed`: the backend has said all it wanted to. `failed`: it or the way to it broke. */
  onEnd(end: StreamEnding): void;
}

export type StreamEnding = 'completed' | 'failed';
