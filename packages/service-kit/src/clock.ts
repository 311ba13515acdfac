/** A timer that was set on a clock. Both methods are harmless after the timer has fired. */
export interface TimerHandle {
  cancel(): void;
  /** Lets the process end although the timer is pending. */
  unref(): void;
}

/**
 * The only source of time. Components take it as an argument, so that tests can hand in a `FakeClock`.
 */
export interface Clock {
  /** Wall-clock time: milliseconds since the Unix epoch. May jump; for timestamps that leave the process. */
  now(): number;
  /** Milliseconds since an arbitrary start, never backwards. For durations and deadlines. */
  monotonic(): number;
  /** Calls `fn` once, not sooner than after `delayMs` (any finite number; below zero counts as zero). */
  setTimer(delayMs: number, fn: () => void): TimerHandle;
}

/** Node stores timer delays in 32 bits and turns a longer one into 1 ms. */
const MAX_NODE_TIMER_MS = 2_147_483_647;

class SystemTimer implements TimerHandle {
  readonly #fn: () => void;
  #remainingMs: number;
  #isReferenced = true;
  #timeout: NodeJS.Timeout;

  constructor(delayMs: number, fn: () => void) {
    this.#fn = fn;
    this.#remainingMs = delayMs;
    this.#timeout = this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  unref(): void {
    this.#isReferenced = false;
    this.#timeout.unref();
  }

  #arm(): NodeJS.Timeout {
    const stepMs = Math.min(this.#remainingMs, MAX_NODE_TIMER_MS);
    this.#remainingMs -= stepMs;
    const timeout = setTimeout(() => {
      if (this.#remainingMs <= 0) this.#fn();
      else this.#timeout = this.#arm();
    }, stepMs);
    if (!this.#isReferenced) timeout.unref();
    return timeout;
  }
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, fn) => new SystemTimer(Math.max(0, delayMs), fn),
};
