import type { Clock, TimerHandle } from '@carillon/service-kit';
import { BODY_TOO_LARGE, INTERNAL_SERVER_ERROR } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** The reference knows no limit; this one only keeps a mistake from taking all memory. Answered with 413. */
export const MAX_BODY_BYTES: number = 64 * 1024 * 1024;
/** From the first piece to the last. A client that sends nothing at all is cut off by uWS after 10 s. */
const READ_TIMEOUT_MS = 30_000;

/**
 * Reads the whole body and hands over memory that the receiver owns; or answers 413 or 500 (server-api §1.2) and ends the
 * connection. A client that goes away in between is nobody's business any more.
 */
export function readBody(exchange: Exchange, clock: Clock, receive: (body: Uint8Array) => void): void {
  let collecting: CollectedBody | undefined;
  exchange.onData((chunk, isLast) => {
    if (exchange.isOver) return;
    // Nearly every body comes in one piece, with its headers.
    if (isLast && collecting === undefined) {
      if (chunk.byteLength > MAX_BODY_BYTES) exchange.send(BODY_TOO_LARGE, true);
      else receive(Buffer.from(new Uint8Array(chunk)));
      return;
    }
    collecting ??= new CollectedBody(exchange, clock);
    const body = collecting.add(chunk, isLast);
    if (body !== undefined) receive(body);
  });
}

class CollectedBody {
  readonly #exchange: Exchange;
  readonly #timer: TimerHandle;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(exchange: Exchange, clock: Clock) {
    this.#exchange = exchange;
    this.#timer = clock.setTimer(READ_TIMEOUT_MS, () => this.#fail());
    this.#timer.unref();
    exchange.onEnd(() => this.#forget());
  }

  /** The body, once it is complete. */
  add(chunk: ArrayBuffer, isLast: boolean): Uint8Array | undefined {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > MAX_BODY_BYTES) {
      this.#exchange.send(BODY_TOO_LARGE, true);
      return undefined;
    }
    this.#chunks.push(Buffer.from(new Uint8Array(chunk)));
    if (!isLast) return undefined;
    const body = Buffer.concat(this.#chunks, this.#bytes);
    this.#forget();
    return body;
  }

  #fail(): void {
    this.#exchange.send(INTERNAL_SERVER_ERROR, true);
  }

  #forget(): void {
    this.#timer.cancel();
    this.#chunks.length = 0;
  }
}
