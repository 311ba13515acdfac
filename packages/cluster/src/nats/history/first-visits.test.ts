import { createSilentLog, OperationalError } from '@carillon/service-kit';
import { expect, test } from 'vitest';
import type { HistoryRequest } from '../../broker.ts';
import { initialState } from '../log/log-state.ts';
import type { LogRecord } from '../record/log-record.ts';
import { FirstVisits, wholeRange } from './first-visits.ts';

const retention = { historySize: 100, historyTtlMs: 1_000, historyMetaTtlMs: 1_000 };
const EPOCH = 'e';

function record(offset: number, count = 1, epoch = EPOCH): LogRecord {
  const data = new Uint8Array(1);
  const bodies = Array.from({ length: count }, () => ({
    nonce: { writer: 1, serial: offset },
    data,
    version: 0,
    isDelta: false,
  }));
  return { state: { ...initialState(epoch, retention), offset }, bodies };
}

/** How many records are asked for. */
function asked(request: Partial<HistoryRequest>): number | undefined {
  let limit: number | undefined;
  const oldest = (_channel: string, records: number): Promise<LogRecord[]> => {
    limit = records;
    return Promise.resolve([]);
  };
  void new FirstVisits({ reader: { oldest }, log: createSilentLog() }).begin('a', { retention, limit: 50, ...request });
  return limit;
}

test('asks for as many records as may hold the answer', () => {
  expect(asked({ limit: 50 })).toBe(52);
  expect(asked({ limit: -1 })).toBe(102);
  expect(asked({ limit: 1_000, reverse: true })).toBe(102);
});

test('asks for nothing where the oldest records are hardly the answer, or too dear', () => {
  expect(asked({ limit: 0 })).toBeUndefined();
  expect(asked({ limit: 10 })).toBeUndefined();
  expect(asked({ limit: 50, reverse: true })).toBeUndefined();
  expect(asked({ since: { offset: 3, epoch: EPOCH } })).toBeUndefined();
  expect(asked({ limit: -1, retention: { ...retention, historySize: 501 } })).toBeUndefined();
});

test('reads that come together are one, and a failure is as good as nothing', async () => {
  const answers: PromiseWithResolvers<LogRecord[]>[] = [];
  const oldest = (): Promise<LogRecord[]> => {
    const answer = Promise.withResolvers<LogRecord[]>();
    answers.push(answer);
    return answer.promise;
  };
  const visits = new FirstVisits({ reader: { oldest }, log: createSilentLog() });
  const both = [1, 2].map(async () => visits.begin('a', { retention, limit: -1 }));
  await Promise.resolve();
  expect(answers).toHaveLength(1);
  answers[0]?.reject(new OperationalError('nats_timeout', 'no reply in time'));
  expect(await Promise.all(both)).toEqual([[], []]);
});

test('records are the answer only when they hold all of it in the present epoch', () => {
  const { state } = record(6);
  const range = { from: 3, to: 6 };
  const offsets = (records: LogRecord[]) => wholeRange(records, state, range)?.map(({ offset }) => offset);
  expect(offsets([record(2), record(4, 2), record(5), record(6), record(8, 2)])).toEqual([3, 4, 5, 6]);
  expect(offsets([record(3), record(4), record(5), record(7, 2)])).toEqual([3, 4, 5, 6]);
  expect(offsets([record(4), record(5), record(6)])).toBeUndefined();
  expect(offsets([record(3), record(4), record(5)])).toBeUndefined();
  expect(offsets([record(3), record(4), record(6)])).toBeUndefined();
  expect(offsets([record(3), record(4, 1, 'other'), record(5), record(6)])).toBeUndefined();
  expect(offsets([])).toBeUndefined();
});
