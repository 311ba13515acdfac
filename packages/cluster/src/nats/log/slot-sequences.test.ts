import { describe, expect, test } from 'vitest';
import { SequenceBudget, SlotSequences } from './slot-sequences.ts';

describe('the sequences at the slots of a channel', () => {
  test('are those noted last for each slot, unknown elsewhere and in another ring', () => {
    const sequences = new SlotSequences(new SequenceBudget(100));
    expect(sequences.at({ slots: 3, index: 1 })).toBeUndefined();
    sequences.note({ slots: 3, index: 1 }, 10);
    sequences.note({ slots: 3, index: 2 }, 0);
    sequences.note({ slots: 3, index: 4 }, 12);
    expect([4, 5, 6].map((index) => sequences.at({ slots: 3, index }))).toEqual([12, 0, undefined]);
    expect(sequences.at({ slots: 4, index: 1 })).toBeUndefined();
    sequences.note({ slots: 4, index: 1 }, 13);
    expect(sequences.at({ slots: 3, index: 4 })).toBeUndefined();
    sequences.clear();
    expect(sequences.at({ slots: 4, index: 1 })).toBeUndefined();
  });

  test('are only the newest one where the budget has no room, which comes back when others are cleared', () => {
    const budget = new SequenceBudget(4);
    const one = new SlotSequences(budget);
    const other = new SlotSequences(budget);
    one.note({ slots: 3, index: 0 }, 1);
    other.note({ slots: 3, index: 0 }, 2);
    other.note({ slots: 3, index: 1 }, 3);
    expect([0, 1].map((index) => other.at({ slots: 3, index }))).toEqual([undefined, 3]);
    one.clear();
    expect(budget.used).toBe(0);
    other.note({ slots: 3, index: 1 }, 3);
    other.note({ slots: 3, index: 2 }, 4);
    expect([1, 2].map((index) => other.at({ slots: 3, index }))).toEqual([3, 4]);
    expect(budget.used).toBe(3);
  });
});
