import fc from 'fast-check';
import { expect, it } from 'vitest';

import { FakeClock } from './fake-clock.ts';
import { TimerWheel, WheelTimer } from './timer-wheel.ts';

const TICK_MS = 10;
const ENTRIES = 6;

type Step =
  | { readonly kind: 'schedule'; readonly entry: number; readonly delayMs: number }
  | { readonly kind: 'cancel'; readonly entry: number }
  | { readonly kind: 'advance'; readonly ms: number };

const entry = fc.nat(ENTRIES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('schedule' as const), entry, delayMs: fc.integer({ min: -5, max: 300 }) }),
  fc.record({ kind: fc.constant('cancel' as const), entry }),
  fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(150) }),
);

it('hands over exactly what a list of due times would, in the same tick', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 60 }), (slots, steps) => {
      const clock = new FakeClock();
      const actual: [number, number][] = [];
      const wheel = new TimerWheel<WheelTimer<number>>({
        clock,
        tickMs: TICK_MS,
        slots,
        onDue: ({ owner }) => actual.push([clock.monotonic(), owner]),
      });
      const timers = Array.from({ length: ENTRIES }, (_, index) => new WheelTimer(index));
      const dueAt = new Map<number, number>();
      const expected: [number, number][] = [];

      for (const action of steps) {
        if (action.kind === 'schedule') {
          const timer = timers[action.entry];
          if (timer !== undefined) wheel.schedule(timer, action.delayMs);
          const earliest = (Math.floor(clock.monotonic() / TICK_MS) + 1) * TICK_MS;
          const asked = Math.ceil((clock.monotonic() + Math.max(0, action.delayMs)) / TICK_MS) * TICK_MS;
          dueAt.set(action.entry, Math.max(earliest, asked));
        } else if (action.kind === 'cancel') {
          const timer = timers[action.entry];
          expect(timer !== undefined && wheel.cancel(timer)).toBe(dueAt.delete(action.entry));
        } else {
          clock.advanceSync(action.ms);
          for (const [owner, at] of dueAt) {
            if (at > clock.monotonic()) continue;
            expected.push([at, owner]);
            dueAt.delete(owner);
          }
        }
        expect(wheel.size).toBe(dueAt.size);
      }

      const inOrder = (pairs: [number, number][]) => pairs.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
      expect(inOrder(actual)).toEqual(inOrder(expected));
      expect(actual.map(([at]) => at)).toEqual(actual.map(([at]) => at).toSorted((a, b) => a - b));
    }),
    { numRuns: 300 },
  );
});
