import type { Command } from '@carillon/protocol/client';

/**
 * Commands that may wait behind a slow one when another frame comes, and bytes of their frames. SDKs send all subscriptions
 * of a reconnect at once: some in one frame, however many there are, others in a frame for each.
 */
export const MAX_WAITING_COMMANDS = 16_384;
export const MAX_WAITING_BYTES: number = 8 * 1024 * 1024;

/** Commands that were run are dropped from the front of the list so many at a time. */
const COMPACT_AFTER = 1024;

export interface CommandQueueOptions {
  /** Handlers in flight at once; 0 and 1 mean one (client.concurrency). Asked anew each time: connect goes alone. */
  concurrency(): number;
  /** Handles one command; returns a promise only when it has to wait. Never rejects. */
  handle(command: Command): Promise<void> | undefined;
}

/**
 * Commands of one connection, in arrival order (client-protocol §3.4 C1 to C3): one after another, or up to
 * `concurrency` at a time. Nothing is queued while handlers answer at once, which most do, so a queue is one small object
 * until a command has to wait.
 */
export class CommandQueue {
  readonly #options: CommandQueueOptions;
  #waiting: { readonly command: Command; readonly bytes: number }[] | undefined = undefined;
  #waitingBytes = 0;
  #head = 0;
  #running = 0;
  #afterIdle: (() => void) | undefined = undefined;

  constructor(options: CommandQueueOptions) {
    this.#options = options;
  }

  /** So much waits that no further frame may be taken. Asked between frames, so that the bound is exceeded by one frame. */
  get isFull(): boolean {
    if (this.#waiting === undefined) return false;
    return this.#waiting.length - this.#head >= MAX_WAITING_COMMANDS || this.#waitingBytes >= MAX_WAITING_BYTES;
  }

  /** Runs the command now or when its turn comes. `bytes`: what keeping it keeps in memory. */
  push(command: Command, bytes: number): void {
    if (this.#waiting === undefined && this.#running < this.#limit) {
      this.#run(command);
      return;
    }
    this.#waiting ??= [];
    this.#waiting.push({ command, bytes });
    this.#waitingBytes += bytes;
  }

  /** Everything pushed so far has been handled. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting === undefined;
  }

  /** Calls `act` once, when everything pushed so far has been handled; at once when nothing waits. */
  whenIdle(act: () => void): void {
    if (this.isIdle) act();
    else this.#afterIdle = act;
  }

  /** Forgets what waits; running handlers go on. */
  clear(): void {
    this.#afterIdle = undefined;
    this.#forgetWaiting();
  }

  get #limit(): number {
    return Math.max(1, this.#options.concurrency());
  }

  #run(command: Command): void {
    const done = this.#options.handle(command);
    if (done === undefined) return;
    this.#running += 1;
    void done.then(() => {
      this.#running -= 1;
      this.#drain();
    });
  }

  #drain(): void {
    while (this.#waiting !== undefined && this.#running < this.#limit) {
      const next = this.#waiting[this.#head];
      this.#head += 1;
      this.#waitingBytes -= next?.bytes ?? 0;
      if (this.#head >= this.#waiting.length) this.#forgetWaiting();
      else if (this.#head >= COMPACT_AFTER) this.#compact();
      if (next !== undefined) this.#run(next.command);
    }
    if (this.#waiting === undefined && this.#running === 0) this.#becomeIdle();
  }

  #forgetWaiting(): void {
    this.#waiting = undefined;
    this.#waitingBytes = 0;
    this.#head = 0;
  }

  /** A client that never lets the queue run empty must not make it grow for ever. */
  #compact(): void {
    this.#waiting = this.#waiting?.slice(this.#head);
    this.#head = 0;
  }

  #becomeIdle(): void {
    const act = this.#afterIdle;
    this.#afterIdle = undefined;
    act?.();
  }
}
