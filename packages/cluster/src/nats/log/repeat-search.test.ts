import { describe, expect, test } from 'vitest';
import type { LogRecord } from '../record/log-record.ts';
import { afterPublications, initialState } from './log-state.ts';
import { RepeatSearch } from './repeat-search.ts';

const retention = { historySize: 4, historyTtlMs: 60_000, historyMetaTtlMs: 600_000 };
const START_MS = 1_000_000;

const nonce = (serial: number) => ({ writer: 1, serial });
const body = (serial: number) => ({
  nonce: nonce(serial),
  data: new Uint8Array(),
  info: undefined,
  tags: undefined,
  version: 0,
  isDelta: false,
});

/** Records with these many publications each, a second apart; their serials are their offsets. */
function log(...counts: readonly number[]): LogRecord[] {
  let state = initialState('e', retention);
  return counts.map((count, index) => {
    const from = state.offset;
    const nowMs = START_MS + index * 1_000;
    state = afterPublications(state, { retention, count, nowMs, version: 0, versionEpoch: '' });
    return { state, bodies: Array.from({ length: count }, (_, at) => body(from + at + 1)) };
  });
}

async function search(records: readonly LogRecord[], onReplica = records) {
  const top = records.at(-1);
  if (top === undefined) throw new Error('no records');
  let leaderReads = 0;
  const reader = {
    records: async (_channel: string, _state: unknown, _range: unknown, fromLeader = false) => {
      if (fromLeader) leaderReads += 1;
      return [...(fromLeader ? records : onReplica)];
    },
  };
  return { found: await RepeatSearch.load(reader, 'news', top), leaderReads };
}

describe('a search for what another node may have stored', () => {
  test('finds a publication within a record of several', async () => {
    const { found, leaderReads } = await search(log(1, 3, 1));
    expect(found.find(nonce(3), START_MS)).toEqual({ kind: 'stored', offset: 3 });
    expect(leaderReads).toBe(0);
  });

  test('is sure that something is absent when it has seen all that was published since', async () => {
    const { found } = await search(log(1, 1, 1));
    expect(found.find(nonce(99), START_MS)).toEqual({ kind: 'absent' });
    const { found: trimmed } = await search(log(1, 1, 1, 1, 1, 1, 1, 1).slice(-4));
    expect(trimmed.find(nonce(99), START_MS + 7_000)).toEqual({ kind: 'absent' });
  });

  test('is unsure when the ring has lost what was published since', async () => {
    const { found } = await search(log(1, 1, 1, 1, 1, 1, 1, 1).slice(-4));
    expect(found.find(nonce(99), START_MS)).toEqual({ kind: 'unsure' });
  });

  test('asks the leader when a replica is behind', async () => {
    const records = log(1, 1, 1);
    const { found, leaderReads } = await search(records, records.slice(0, 2));
    expect(found.find(nonce(3), START_MS)).toEqual({ kind: 'stored', offset: 3 });
    expect(leaderReads).toBe(1);
  });

  test('does not take records beyond a hole for complete', async () => {
    const [first, second, third] = log(1, 1, 1);
    if (first === undefined || second === undefined || third === undefined) throw new Error('no records');
    const { found } = await search([first, third]);
    expect(found.find(nonce(2), START_MS)).toEqual({ kind: 'unsure' });
  });

  test('needs no records when the newest publication is older than the question', async () => {
    const top = log(1, 1).at(-1);
    if (top === undefined) throw new Error('no record');
    const { found } = await search([{ state: top.state, bodies: [] }]);
    expect(found.find(nonce(99), START_MS + 60_000)).toEqual({ kind: 'absent' });
    expect(found.find(nonce(99), START_MS)).toEqual({ kind: 'unsure' });
  });
});
