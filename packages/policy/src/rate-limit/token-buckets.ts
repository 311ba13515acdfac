/** At most `rate` in any burst, and `rate` per `intervalMs` in the long run. */
export interface BucketRule {
  /** Above 0. */
  readonly intervalMs: number;
  /** Above 0. */
  readonly rate: number;
}

/**
 * Some token buckets that are taken from together. A bucket is one number, the time at which it will be full again
 * (GCRA): nothing is counted or refilled while nobody asks. Times are monotonic, ms.
 */
export class TokenBuckets {
  readonly #rules: readonly BucketRule[];
  readonly #fullAt: number[];

  constructor(rules: readonly BucketRule[]) {
    this.#rules = rules;
    this.#fullAt = rules.map(() => Number.NEGATIVE_INFINITY);
  }

  /** Takes a token out of each bucket if each has one, otherwise none. */
  take(nowMs: number): boolean {
    if (!this.#hasToken(nowMs)) return false;
    for (let index = 0; index < this.#rules.length; index++) this.#drain(index, nowMs);
    return true;
  }

  /** Takes a token out of each bucket that has one; true when all had. */
  takeAvailable(nowMs: number): boolean {
    let hadAll = true;
    for (let index = 0; index < this.#rules.length; index++) {
      if (this.#has(index, nowMs)) this.#drain(index, nowMs);
      else hadAll = false;
    }
    return hadAll;
  }

  #hasToken(nowMs: number): boolean {
    for (let index = 0; index < this.#rules.length; index++) if (!this.#has(index, nowMs)) return false;
    return true;
  }

  #has(index: number, nowMs: number): boolean {
    const { intervalMs, rate } = this.#rules[index] ?? EMPTY;
    const missingMs = Math.max(0, (this.#fullAt[index] ?? 0) - nowMs);
    return missingMs <= intervalMs - intervalMs / rate + ROUNDING_MS;
  }

  #drain(index: number, nowMs: number): void {
    const { intervalMs, rate } = this.#rules[index] ?? EMPTY;
    this.#fullAt[index] = Math.max(this.#fullAt[index] ?? 0, nowMs) + intervalMs / rate;
  }
}

/** Sums of interval / rate are not exact. */
const ROUNDING_MS = 0.001;

const EMPTY: BucketRule = { intervalMs: 0, rate: 1 };
