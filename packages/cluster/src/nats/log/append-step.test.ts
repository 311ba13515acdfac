import { describe, expect, test } from 'vitest';
import { MAX_BATCH } from '../record/log-record.ts';
import type { AppendEntry, PublicationEntry } from './append-entry.ts';
import { nextStep, type StepContext } from './append-step.ts';
import { initialState } from './log-state.ts';

const retention = { historySize: 10, historyTtlMs: 60_000, historyMetaTtlMs: 3_600_000 };
const context: StepContext = {
  state: undefined,
  isMarked: false,
  nowMs: 1_000,
  createEpoch: () => 'fresh',
  findKey: () => undefined,
};
let serial = 0;

function publication(change: Partial<PublicationEntry> & { version?: number; bytes?: number } = {}): PublicationEntry {
  const { version = 0, bytes = 1, ...entry } = change;
  serial += 1;
  return {
    kind: 'publication',
    body: { nonce: { writer: 1, serial }, data: new Uint8Array(bytes), version, isDelta: false },
    retention,
    deadlineAt: Infinity,
    idempotencyKey: '',
    versionEpoch: '',
    isRepeat: false,
    resolve: () => undefined,
    reject: () => undefined,
    ...entry,
  };
}

/** How many entries each record takes, with 0 for an entry that is answered without one. */
function batches(queue: AppendEntry[], change: Partial<StepContext> = {}): number[] {
  const counts: number[] = [];
  let { state } = { ...context, ...change };
  for (;;) {
    const step = nextStep(queue, { ...context, ...change, state });
    if (step === undefined) return counts;
    counts.push(step.kind === 'append' ? step.entries.length : 0);
    if (step.kind === 'append') ({ state } = step.record);
  }
}

describe('the next record of a channel', () => {
  test('takes the publications that wait, within bounds of number and bytes', () => {
    expect(batches(Array.from({ length: 2 * MAX_BATCH + 1 }, () => publication()))).toEqual([MAX_BATCH, MAX_BATCH, 1]);
    expect(batches([1, 2, 3].map(() => publication({ bytes: 30_000 })))).toEqual([2, 1]);
    expect(batches([publication({ bytes: 500_000 }), publication()])).toEqual([1, 1]);
  });

  test('begins a new epoch where nothing is known, or where it is forgotten', () => {
    const old = { ...initialState('old', retention), offset: 7, writtenAt: 1_000 };
    const step = nextStep([publication()], context);
    expect(step?.kind === 'append' && step.record.state).toMatchObject({ epoch: 'fresh', offset: 1 });
    const later = nextStep([publication()], { ...context, state: old, nowMs: 3_601_001 });
    expect(later?.kind === 'append' && later.record.state).toMatchObject({ epoch: 'fresh', offset: 1 });
    const inTime = nextStep([publication()], { ...context, state: old, nowMs: 3_601_000 });
    expect(inTime?.kind === 'append' && inTime.record.state).toMatchObject({ epoch: 'old', offset: 8 });
  });

  test('leaves publications with a key, another retention or a mark to records of their own', () => {
    const keyed = publication({ idempotencyKey: 'k' });
    expect(batches([publication(), keyed, publication(), publication()])).toEqual([1, 1, 2]);
    const other = publication({ retention: { ...retention, historySize: 11 } });
    expect(batches([publication(), other, publication()])).toEqual([1, 1, 1]);
    const mark: AppendEntry = {
      kind: 'touch',
      retention,
      deadlineAt: 0,
      resolve: () => undefined,
      reject: () => undefined,
    };
    expect(batches([publication(), mark, publication()])).toEqual([1, 1, 1]);
  });

  test('marks a channel at rest once, where its records would be gone before its offset', () => {
    const rest = (): AppendEntry => ({
      kind: 'rest',
      deadlineAt: 0,
      resolve: () => undefined,
      reject: () => undefined,
    });
    const first = nextStep([publication({ retention: { ...retention, historyTtlMs: 1_000 } })], context);
    if (first?.kind !== 'append') throw new Error('no record');
    const { state } = first.record;
    expect(nextStep([rest()], { ...context, state })).toMatchObject({
      kind: 'append',
      record: { state, bodies: [] },
      slot: { slots: 11, index: 2 },
    });
    expect(nextStep([rest()], { ...context, state, isMarked: true })).toMatchObject({ kind: 'answer_mark' });
    expect(nextStep([rest()], { ...context, state, nowMs: 9e9 })).toMatchObject({ kind: 'answer_mark' });
    expect(nextStep([rest()], { ...context, state: { ...state, expiresAt: 9e9 } })).toMatchObject({
      kind: 'answer_mark',
    });
    expect(nextStep([rest()], context)).toMatchObject({ kind: 'answer_mark', state: undefined });
  });

  test('puts every record, a mark too, where all writers look: after the newest one', () => {
    const first = nextStep([publication()], context);
    if (first?.kind !== 'append') throw new Error('no record');
    expect(first.slot).toEqual({ slots: 11, index: 1 });
    const { state } = first.record;
    const remove: AppendEntry = { ...publication(), kind: 'remove', resolve: () => undefined };
    const grow = publication({ retention: { ...retention, historySize: 20 } });
    const late = { ...context, state, nowMs: 9e9 };
    for (const entry of [remove, grow, publication()]) {
      expect(nextStep([entry], { ...context, state })).toMatchObject({ slot: { slots: 11, index: 2 } });
    }
    expect(nextStep([publication()], late)).toMatchObject({
      slot: { slots: 11, index: 2 },
      record: { state: { epoch: 'fresh', offset: 1, index: 2 } },
    });
  });

  test('answers a known key, then a version that is not above the stored one', () => {
    const state = { ...initialState('e', retention), offset: 9, version: 5, writtenAt: 1_000 };
    const findKey = (key: string) => (key === 'known' ? { offset: 2, epoch: 'e' } : undefined);
    const known = publication({ idempotencyKey: 'known', version: 1 });
    expect(nextStep([known], { ...context, state, findKey })).toMatchObject({
      suppressed: 'idempotency',
      position: { offset: 2, epoch: 'e' },
    });
    expect(nextStep([publication({ version: 5 })], { ...context, state })).toMatchObject({
      suppressed: 'version',
      position: { offset: 9, epoch: 'e' },
    });
  });

  test('compares versions in the order of the queue, within a batch too', () => {
    const queue = [
      publication({ version: 1 }),
      publication({ version: 3 }),
      publication({ version: 2 }),
      publication(),
    ];
    expect(batches(queue)).toEqual([2, 0, 1]);
  });

  test('removes nothing where there is nothing', () => {
    const mark: AppendEntry = {
      kind: 'remove',
      retention,
      deadlineAt: 0,
      resolve: () => undefined,
      reject: () => undefined,
    };
    expect(nextStep([mark], context)).toMatchObject({ kind: 'answer_mark', state: undefined });
  });
});
