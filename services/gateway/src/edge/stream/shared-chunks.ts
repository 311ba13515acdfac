/** Bytes around each message. */
export interface StreamFraming {
  readonly prefix: Uint8Array;
  readonly suffix: Uint8Array;
}

const NO_MESSAGES: readonly Uint8Array[] = [];

/**
 * Makes the chunks of one kind of stream. The connections of a channel ask for the same messages one after another, so the last
 * chunk is kept, and they share it: framing is paid once for a publication, not once for a subscriber.
 */
export class SharedChunks {
  readonly #framing: StreamFraming;
  readonly #overheadBytes: number;
  #messages: readonly Uint8Array[] = NO_MESSAGES;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(framing: StreamFraming) {
    this.#framing = framing;
    this.#overheadBytes = framing.prefix.length + framing.suffix.length;
  }

  /** Bytes of a message in a chunk. */
  framedLength(message: Uint8Array): number {
    return message.length + this.#overheadBytes;
  }

  /** The messages from `start` to before `end`, framed. Nobody may write to it. */
  chunk(queue: readonly Uint8Array[], start: number, end: number): Uint8Array {
    if (!this.#isLast(queue, start, end)) {
      this.#messages = queue.slice(start, end);
      this.#chunk = this.#frame(this.#messages);
    }
    return this.#chunk;
  }

  /** The same objects: frames of publications are shared, and not written to. */
  #isLast(queue: readonly Uint8Array[], start: number, end: number): boolean {
    const last = this.#messages;
    if (last.length !== end - start) return false;
    for (let at = 0; at < last.length; at += 1) if (last[at] !== queue[start + at]) return false;
    return true;
  }

  #frame(messages: readonly Uint8Array[]): Uint8Array {
    const { prefix, suffix } = this.#framing;
    const [only] = messages;
    if (messages.length === 1 && only !== undefined && this.#overheadBytes === 0) return only;
    const chunk = new Uint8Array(messages.reduce((sum, message) => sum + this.framedLength(message), 0));
    let at = 0;
    for (const message of messages) {
      chunk.set(prefix, at);
      chunk.set(message, at + prefix.length);
      chunk.set(suffix, at + prefix.length + message.length);
      at += this.framedLength(message);
    }
    return chunk;
  }
}
