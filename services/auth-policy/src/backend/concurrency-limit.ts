import { backendFailure } from './backend-failure.ts';

export interface ConcurrencyLimitOptions {
  readonly maxInFlight: number;
  /** Callers that may wait for a place; those beyond fail at once with `proxy_overloaded`. */
  readonly maxWaiting: number;
}

/** Lets a bounded number of calls run, and a bounded number wait, first come, first served. */
export class ConcurrencyLimit {
  readonly #options: ConcurrencyLimitOptions;
  readonly #waiting: Set<() => void> = new Set();
  #inFlight = 0;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Runs the work when its turn comes. A caller whose signal aborts while it waits is rejected with the signal's reason. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #enter(signal: AbortSignal): Promise<void> | undefined {
    if (this.#inFlight < this.#options.maxInFlight) {
      this.#inFlight += 1;
      return undefined;
    }
    if (this.#waiting.size >= this.#options.maxWaiting) {
      throw backendFailure('proxy_overloaded', `${this.#waiting.size} calls wait already`);
    }
    return new Promise((resolve, reject) => {
      const onTurn = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(onTurn);
        reject(signal.reason instanceof Error ? signal.reason : backendFailure('proxy_timeout', 'aborted'));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(onTurn);
    });
  }

  /** The place passes to whoever waits longest, so that nobody can come in between. */
  #leave(): void {
    for (const onTurn of this.#waiting) {
      this.#waiting.delete(onTurn);
      onTurn();
      return;
    }
    this.#inFlight -= 1;
  }
}
