import type { Socket } from '../edge/socket.ts';

/** A session as the fan-out sees it: where bytes go, and whom to tell when a subscription can't go on. */
export interface Subscriber {
  readonly socket: Socket;
  /**
   * The subscription lost its place: publications are gone that can't be given back (client-protocol §4.7).
   * The hub has already removed it. Client-side subscriptions answer 2500, server-side ones 3010.
   */
  onInsufficientState(channel: string): void;
  /** A payload that is not JSON met a JSON connection: disconnect 3506 (§2.1 J9). */
  onInappropriatePayload(): void;
}
