import type { NatsConnection } from '@nats-io/nats-core';
import { contentLength, frameHead, frameLength, writeFrame, type OutgoingMessage } from './publish-frame.ts';

/** What is used of the library's inside. */
interface Protocol {
  /** Hands all that was published since the last time to the socket, as one piece. */
  flushPending(): void;
  /** Each command but pings. */
  sendCommand(...pieces: unknown[]): void;
  /** Sends a ping. */
  flush(...rest: unknown[]): Promise<void>;
  readonly outbound: { size(): number; fill(bytes: Uint8Array): void };
}

/**
 * What is held within one turn, bytes; beyond it a piece leaves before the turn ends. Frames are written one behind the
 * other into memory of this size, and larger ones into memory of their own.
 */
const MAX_HELD_BYTES = 64 * 1_024;
const NO_SLAB = Buffer.alloc(0);

/**
 * Sends what is published within one turn of the event loop as one piece, with one system call. The library makes a piece
 * and a write for each microtask, and requests that arrive together are handled in one each: half of the CPU time of a
 * publish went there. It also makes four buffers of each message and copies them together twice; here a message is
 * written once, behind the one before. The order stays as it is: before the library adds anything of its own it is given
 * what was written until then.
 */
export class TurnWrites {
  readonly #connection: NatsConnection;
  /** Undefined: not looked for yet; null: the library shows none, so nothing is held back. */
  #protocol: Protocol | null | undefined = undefined;
  /** The library's own flush. */
  #flush: () => void = () => undefined;
  #isHolding = false;
  readonly #lastTasks: (() => void)[] = [];
  #slab: Buffer = NO_SLAB;
  /** From here to `#end` of the slab are frames that the library has not been given. */
  #start = 0;
  #end = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /**
   * A publish. False when it must be left to the library: it is closing, is going to refuse the message, or its inside is
   * not what we know.
   */
  send(message: OutgoingMessage): boolean {
    const connection = this.#connection;
    if (connection.isClosed() || connection.isDraining()) return false;
    if (contentLength(message) > (connection.info?.max_payload ?? 0)) return false;
    if (!this.begin()) return false;
    const head = frameHead(message);
    const length = frameLength(head, message);
    this.#reserve(length);
    writeFrame(this.#slab, this.#end, head, message);
    this.#end += length;
    return true;
  }

  /** Call before each message of the library's. False: nothing is held back. */
  begin(): boolean {
    if (this.#isHolding) return true;
    if (this.#protocol === undefined) this.#protocol = this.#takeOver();
    if (this.#protocol === null) return false;
    this.#isHolding = true;
    setImmediate(this.#endTurn);
    return true;
  }

  /** Calls `fn` when the turn ends, before what it has published leaves: what `fn` publishes goes with it. Must not throw. */
  atTurnEnd(fn: () => void): void {
    if (this.begin()) this.#lastTasks.push(fn);
    else setImmediate(fn);
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#slab.length) return;
    this.#handOver();
    this.#flush();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(MAX_HELD_BYTES, length));
    this.#start = 0;
    this.#end = 0;
  }

  /** Memory that was handed over is never written to again: the socket may still have to read it. */
  #handOver(): void {
    if (this.#start === this.#end) return;
    this.#protocol?.outbound.fill(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  /** The library's own flush waits from now on while a turn is held; it survives reconnects, as the protocol does. */
  #takeOver(): Protocol | null {
    const protocol = protocolOf(this.#connection);
    if (protocol === undefined) return null;
    this.#flush = protocol.flushPending.bind(protocol);
    const command = protocol.sendCommand.bind(protocol);
    const ping = protocol.flush.bind(protocol);
    protocol.flushPending = () => {
      if (this.#isHolding && protocol.outbound.size() + this.#end - this.#start < MAX_HELD_BYTES) return;
      this.#handOver();
      this.#flush();
    };
    protocol.sendCommand = (...pieces) => {
      this.#handOver();
      command(...pieces);
    };
    protocol.flush = (...rest) => {
      this.#handOver();
      return ping(...rest);
    };
    return protocol;
  }

  readonly #endTurn = (): void => {
    for (const task of this.#lastTasks.splice(0)) task();
    this.#isHolding = false;
    this.#protocol?.flushPending();
  };
}

function protocolOf(connection: NatsConnection): Protocol | undefined {
  const { protocol } = connection as { protocol?: Partial<Protocol> };
  const isKnown =
    typeof protocol?.flushPending === 'function' &&
    typeof protocol.sendCommand === 'function' &&
    typeof protocol.flush === 'function' &&
    typeof protocol.outbound?.size === 'function' &&
    typeof protocol.outbound.fill === 'function';
  return isKnown ? (protocol as Protocol) : undefined;
}
