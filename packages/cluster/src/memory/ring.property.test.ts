import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring } from './ring.ts';

const operation = fc.oneof(
  { weight: 5, arbitrary: fc.integer().map((item) => ({ kind: 'push' as const, item })) },
  { weight: 4, arbitrary: fc.constant({ kind: 'drop' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const }) },
);

describe('ring', () => {
  it('holds what a list would hold, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const ring = new Ring<number>();
        const list: number[] = [];
        for (const step of operations) {
          if (step.kind === 'push') {
            ring.push(step.item);
            list.push(step.item);
          } else if (step.kind === 'drop') {
            ring.dropFirst();
            list.shift();
          } else {
            ring.clear();
            list.length = 0;
          }
          expect(Array.from({ length: ring.size }, (_, index) => ring.at(index))).toEqual(list);
        }
        expect(ring.at(-1)).toBeUndefined();
        expect(ring.at(ring.size)).toBeUndefined();
      }),
    );
  });
});
