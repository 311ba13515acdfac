import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_BATCH, firstOffset, type LogRecord } from '../record/log-record.ts';
import { afterPublications, initialState } from './log-state.ts';
import { laterRecords, likelyRecords, type IndexRange } from './slot-range.ts';

const body = { nonce: { writer: 1, serial: 1 }, data: new Uint8Array(), version: 0, isDelta: false };

/** A channel's records by index, with so many publications each. */
function log(counts: readonly number[], historySize: number): Map<number, LogRecord> {
  const retention = { historySize, historyTtlMs: 60_000, historyMetaTtlMs: 600_000 };
  let state = initialState('e', retention);
  return new Map(
    counts.map((count) => {
      state = afterPublications(state, { retention, count, nowMs: 1, version: 0, versionEpoch: '' });
      return [state.index, { state, bodies: Array.from({ length: count }, () => body) }];
    }),
  );
}

function within(records: ReadonlyMap<number, LogRecord>, { from, to }: IndexRange): LogRecord[] {
  return [...records.values()].filter(({ state }) => state.index >= from && state.index <= to);
}

describe('the records of a range of offsets', () => {
  test('are found in two looks, however many publications each holds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: MAX_BATCH })), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 400 }),
        fc.nat(),
        fc.nat(),
        (counts, historySize, start, length) => {
          const records = log(counts, historySize);
          const top = records.get(counts.length);
          if (top === undefined) throw new Error('no record');
          const { state } = top;
          const from = state.floor + (start % (state.offset - state.floor + 1));
          const range = { from, to: from + (length % (state.offset - from + 1)) };
          const first = within(records, likelyRecords(state, range));
          const all = [...first, ...within(records, laterRecords(state, range, first))];
          const offsets = new Set(all.flatMap((record) => record.bodies.map((_, at) => firstOffset(record) + at)));
          for (let offset = range.from; offset <= range.to; offset++) expect(offsets.has(offset)).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('are read in one look, and no others, where each record holds one publication', () => {
    const records = log(
      Array.from({ length: 50 }, () => 1),
      30,
    );
    const top = records.get(50)?.state;
    if (top === undefined) throw new Error('no record');
    const range = { from: 25, to: 34 };
    expect(likelyRecords(top, range)).toEqual({ from: 25, to: 34 });
    const { from, to } = laterRecords(top, range, within(records, { from: 25, to: 34 }));
    expect(from).toBeGreaterThan(to);
  });
});
