export interface MessageBatchOptions {
  /** Number of the `batch` field of the message, below 16. */
  readonly field: number;
  /** Runs the function once, after what is going on now: messages until then travel together. */
  readonly schedule: (flush: () => void) => void;
  readonly write: (message: Buffer) => void;
}

/** A batch does not grow beyond this, bytes; a single message may. */
const MAX_BATCH_BYTES = 64 * 1024;

/**
 * Gathers encoded messages and sends them as one: a gRPC message costs many times what a question does. A message alone
 * travels as it is. Order is kept.
 */
export class MessageBatch {
  readonly #options: MessageBatchOptions;
  readonly #flush: () => void;
  #messages: Buffer[] = [];
  #bytes = 0;
  #isScheduled = false;

  constructor(options: MessageBatchOptions) {
    this.#options = options;
    this.#flush = () => {
      this.#isScheduled = false;
      this.flush();
    };
  }

  add(message: Buffer): void {
    if (this.#bytes + message.length > MAX_BATCH_BYTES) this.flush();
    this.#messages.push(message);
    this.#bytes += message.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.schedule(this.#flush);
  }

  /** Sends what was gathered, now. */
  flush(): void {
    const messages = this.#messages;
    const [first] = messages;
    if (first === undefined) return;
    this.#messages = [];
    this.#bytes = 0;
    this.#options.write(messages.length === 1 ? first : wrapped(messages, this.#options.field));
  }

  /** Forgets what was gathered. */
  clear(): void {
    this.#messages = [];
    this.#bytes = 0;
  }
}

/** The message in which these are the elements of the repeated field: each with its tag and length before it. */
function wrapped(messages: readonly Buffer[], field: number): Buffer {
  let size = 0;
  for (const { length } of messages) size += 1 + varintSize(length) + length;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const message of messages) {
    bytes[at++] = (field << 3) | 2;
    let rest = message.length;
    for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
    bytes.set(message, at);
    at += message.length;
  }
  return bytes;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}
