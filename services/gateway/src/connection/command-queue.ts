import type { Command } from '@carillon/protocol/client';

/** Commands that may wait behind a slow one. SDKs send a few hundred at once when many subscriptions reconnect. */
export const MAX_WAITING_COMMANDS = 4096;

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
  #waiting: Command[] | undefined = undefined;
  #head = 0;
  #running = 0;
  #afterIdle: (() => void) | undefined = undefined;

  constructor(options: CommandQueueOptions) {
    this.#options = options;
  }

  /** Runs the command now or when its turn comes. False when the queue is full; the command is then dropped. */
  push(command: Command): boolean {
    if (this.#waiting === undefined && this.#running < this.#limit) {
      this.#run(command);
      return true;
    }
    this.#waiting ??= [];
    if (this.#waiting.length - this.#head >= MAX_WAITING_COMMANDS) return false;
    this.#waiting.push(command);
    return true;
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
      const command = this.#waiting[this.#head];
      this.#head += 1;
      if (this.#head >= this.#waiting.length) this.#forgetWaiting();
      if (command !== undefined) this.#run(command);
    }
    if (this.#waiting === undefined && this.#running === 0) this.#becomeIdle();
  }

  #forgetWaiting(): void {
    this.#waiting = undefined;
    this.#head = 0;
  }

  #becomeIdle(): void {
    const act = this.#afterIdle;
    this.#afterIdle = undefined;
    act?.();
  }
}
