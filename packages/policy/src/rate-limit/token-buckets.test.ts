import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBuckets } from './token-buckets.ts';

describe('token buckets', () => {
  const takeMany = (buckets: TokenBuckets, count: number, nowMs: number): number => {
    let taken = 0;
    for (let index = 0; index < count; index++) if (buckets.take(nowMs)) taken += 1;
    return taken;
  };

  it('a full bucket gives its rate at once, then one token per share of the interval', () => {
    const buckets = new TokenBuckets([{ intervalMs: 1_000, rate: 5 }]);
    expect(takeMany(buckets, 10, 0)).toBe(5);
    expect(takeMany(buckets, 10, 199)).toBe(0);
    expect(takeMany(buckets, 10, 200)).toBe(1);
    expect(takeMany(buckets, 10, 10_000)).toBe(5);
  });

  it('all buckets must have a token, and a refusal takes from none', () => {
    const buckets = new TokenBuckets([
      { intervalMs: 1_000, rate: 2 },
      { intervalMs: 60_000, rate: 3 },
    ]);
    expect(takeMany(buckets, 100, 0)).toBe(2);
    expect(takeMany(buckets, 100, 1_000)).toBe(1);
    expect(takeMany(buckets, 100, 2_000)).toBe(0);
    expect(takeMany(buckets, 100, 20_000)).toBe(1);
  });

  it('what is only counted empties the buckets, and is told when one had nothing left', () => {
    const buckets = new TokenBuckets([{ intervalMs: 1_000, rate: 2 }]);
    expect([buckets.takeAvailable(0), buckets.takeAvailable(0), buckets.takeAvailable(0)]).toEqual([true, true, false]);
    expect(buckets.take(0)).toBe(false);
    expect(buckets.take(500)).toBe(true);
  });

  it('in no stretch of time more is given than a burst and its share', () => {
    const step = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(step, { maxLength: 200 }), (rate, steps) => {
        const intervalMs = 1_000;
        const buckets = new TokenBuckets([{ intervalMs, rate }]);
        const taken: number[] = [];
        let now = 0;
        for (const wait of steps) {
          now += wait;
          if (buckets.take(now)) taken.push(now);
        }
        for (const [from, start] of taken.entries()) {
          for (const [to, end] of taken.entries()) {
            if (to < from) continue;
            expect(to - from + 1).toBeLessThanOrEqual(rate + ((end - start) * rate) / intervalMs + 0.01);
          }
        }
      }),
    );
  });
});
