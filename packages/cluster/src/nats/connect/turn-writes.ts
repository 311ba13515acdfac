import type { NatsConnection } from '@nats-io/nats-core';

/** What is used of the library's inside. */
interface Protocol {
  /** Hands all that was published since the last time to the socket, as one piece. */
  flushPending(): void;
  readonly outbound: { size(): number };
}

/** What is held within one turn, bytes; beyond it a piece leaves before the turn ends. */
const MAX_HELD_BYTES = 256 * 1_024;

/**
 * Sends what is published within one turn of the event loop as one piece, with one system call. The library makes a piece
 * and a write for each microtask, and requests that arrive together are handled in one each: half of the CPU time of a
 * publish went there. The order stays as it is, since it is the library that waits and not the messages.
 */
export class TurnWrites {
  readonly #connection: NatsConnection;
  /** Undefined: not looked for yet; null: the library shows none, so nothing is held back. */
  #protocol: Protocol | null | undefined = undefined;
  #isHolding = false;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** Call before each message. */
  begin(): void {
    if (this.#isHolding) return;
    if (this.#protocol === undefined) this.#protocol = this.#takeOver();
    if (this.#protocol === null) return;
    this.#isHolding = true;
    setImmediate(this.#end);
  }

  /** The library's own flush waits from now on while a turn is held; it survives reconnects, as the protocol does. */
  #takeOver(): Protocol | null {
    const protocol = protocolOf(this.#connection);
    if (protocol === undefined) return null;
    const flush = protocol.flushPending.bind(protocol);
    protocol.flushPending = () => {
      if (!this.#isHolding || protocol.outbound.size() >= MAX_HELD_BYTES) flush();
    };
    return protocol;
  }

  readonly #end = (): void => {
    this.#isHolding = false;
    this.#protocol?.flushPending();
  };
}

function protocolOf(connection: NatsConnection): Protocol | undefined {
  const { protocol } = connection as { protocol?: Partial<Protocol> };
  return typeof protocol?.flushPending === 'function' && typeof protocol.outbound?.size === 'function'
    ? (protocol as Protocol)
    : undefined;
}
