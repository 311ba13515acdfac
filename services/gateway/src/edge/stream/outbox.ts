import type { SharedChunks } from './shared-chunks.ts';

/** Where an outbox writes: one streaming response. */
export interface OutboxSink {
  /** Takes all of it. False: the peer does not keep up, and `writable` will be called when it does. */
  write(chunk: Uint8Array): boolean;
  /** Writes of one call go out together. Also moves what the sink still holds. */
  cork(write: () => void): unknown;
}

export interface OutboxOptions {
  readonly sink: OutboxSink;
  readonly chunks: SharedChunks;
  /** Bytes that wait here and in the sink before the client is slow. */
  readonly limitBytes: number;
  /** Called once; the outbox is empty then and stays so. Must not throw. */
  readonly onOverflow: () => void;
}

/** client-protocol §3.12. */
const MAX_MESSAGES_PER_CHUNK = 16;

/** The sink does not say how much it holds, so it is fed in pieces of about this size, and no more until it has room. */
const MAX_CHUNK_BYTES = 16_384;

/** The bounded queue of messages to one streaming response. Used by one owner, who flushes. */
export class Outbox {
  readonly #sink: OutboxSink;
  readonly #chunks: SharedChunks;
  readonly #limitBytes: number;
  readonly #onOverflow: () => void;
  #messages: Uint8Array[] = [];
  #head = 0;
  #queuedBytes = 0;
  /** At most what the sink holds: bytes given to it since it last had taken all. */
  #heldBytes = 0;
  #isBlocked = false;
  #isOverflown = false;

  constructor({ sink, chunks, limitBytes, onOverflow }: OutboxOptions) {
    this.#sink = sink;
    this.#chunks = chunks;
    this.#limitBytes = limitBytes;
    this.#onOverflow = onOverflow;
  }

  /** Nothing waits here; the sink may still hold something. */
  get isEmpty(): boolean {
    return this.#head === this.#messages.length;
  }

  /** Bytes that wait until the sink has room again; 0 while it takes all. */
  get blockedBytes(): number {
    return this.#isBlocked ? this.#queuedBytes + this.#heldBytes : 0;
  }

  push(message: Uint8Array): void {
    if (this.#isOverflown) return;
    this.#messages.push(message);
    this.#queuedBytes += this.#chunks.framedLength(message);
    if (this.#queuedBytes + this.#heldBytes > this.#limitBytes) this.#overflow();
  }

  /** Writes until the sink is full. */
  flush(): void {
    if (this.isEmpty || this.#isBlocked) return;
    this.#sink.cork(() => {
      while (!this.isEmpty && !this.#isBlocked) this.#writeChunk();
    });
  }

  /** The sink has room again. */
  writable(): void {
    this.#isBlocked = false;
    if (this.isEmpty) this.#sink.cork(() => undefined);
    else this.flush();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#messages = [];
    this.#head = 0;
    this.#queuedBytes = 0;
  }

  #writeChunk(): void {
    const chunk = this.#nextChunk();
    if (this.#sink.write(chunk)) {
      this.#heldBytes = 0;
    } else {
      this.#heldBytes += chunk.length;
      this.#isBlocked = true;
    }
  }

  #nextChunk(): Uint8Array {
    const first = this.#head;
    let length = 0;
    let end = first;
    while (end < this.#messages.length && end - first < MAX_MESSAGES_PER_CHUNK) {
      const next = this.#messages[end];
      const nextLength = next === undefined ? 0 : this.#chunks.framedLength(next);
      if (end > first && length + nextLength > MAX_CHUNK_BYTES) break;
      length += nextLength;
      end += 1;
    }
    const chunk = this.#chunks.chunk(this.#messages, first, end);
    this.#queuedBytes -= length;
    this.#head = end;
    if (this.isEmpty) this.clear();
    return chunk;
  }

  #overflow(): void {
    this.#isOverflown = true;
    this.clear();
    this.#onOverflow();
  }
}
