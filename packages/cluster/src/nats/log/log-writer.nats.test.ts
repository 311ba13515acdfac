import { FakeClock, OperationalError, createSilentLog, systemClock } from '@carillon/service-kit';
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freshPrefix } from '../broker-test/broker-test-cluster.ts';
import { createBrokerMetrics } from '../broker-metrics.ts';
import { connectNats } from '../nats-connection.ts';
import { channelStreams, declareStreams } from '../nats-streams.ts';
import { DirectGet } from '../request/direct-get.ts';
import type { Nonce } from '../record/publication-body.ts';
import { LogPublisher, type AppendHandler, type AppendMessage } from '../request/log-publisher.ts';
import { ReplyInbox } from '../request/reply-inbox.ts';
import { LogReader } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';

const log = createSilentLog();
const retention = { historySize: 300, historyTtlMs: 1_000, historyMetaTtlMs: 30 * 86_400_000 };
const MINUTE_MS = 60_000;

type Append = (message: AppendMessage, timeoutMs: number, handler: AppendHandler) => void;

let server: TestNats;
let numWriters = 0;
beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());

/** A writer of its own, whose appends may be waylaid. */
async function startWriter(prefix: string, waylay?: (append: Append) => Append) {
  const link = await connectNats({ url: server.url, prefix, shards: 1, log });
  const streams = channelStreams(link.subjects, { replicas: 1, storage: 'file', idempotencyTtlMs: 60_000 });
  await declareStreams(streams, { connection: link.main, subjects: link.subjects, log, clock: systemClock });
  // Time that the test moves: of what a writer believes, not of requests.
  const clock = new FakeClock(Date.now());
  const inbox = new ReplyInbox({ connection: link.main, clock: systemClock });
  const reads = new DirectGet({ connection: link.reads, clock: systemClock, timeoutMs: 5_000 });
  const reader = new LogReader({ reads, subjects: link.subjects, log });
  const publisher = new LogPublisher({ link, inbox, onNoStream: () => undefined });
  if (waylay !== undefined) publisher.append = waylay(publisher.append.bind(publisher));
  const metrics = createBrokerMetrics(undefined);
  const writer = new LogWriter({ link, publisher, reader, clock, log, idempotencyTtlMs: 60_000, metrics });
  onTestFinished(async () => {
    writer.close();
    inbox.close();
    reads.close();
    await link.close();
  });
  numWriters += 1;
  const id = numWriters;
  let serial = 0;
  const publishAs = async (nonce: Nonce, channel: string, version = 0): Promise<number> => {
    const body = { nonce, data: Buffer.from('x'), version, isDelta: false };
    const entry = { channel, retention, body, idempotencyKey: '', versionEpoch: '', isRepeat: false };
    return (await writer.append(entry, 5_000)).position.offset;
  };
  const publish = (channel: string, version = 0): Promise<number> => {
    serial += 1;
    return publishAs({ writer: id, serial }, channel, version);
  };
  return { link, clock, reader, publish, publishAs };
}

test('a writer that has not looked for long does not take a slot whose record has run out for a new one', async () => {
  const prefix = freshPrefix();
  const [idle, busy] = [await startWriter(prefix), await startWriter(prefix)];
  expect(await busy.publish('news', 7)).toBe(1);
  // Suppressed: it knows the newest record and has written nothing itself.
  expect(await idle.publish('news', 7)).toBe(1);
  expect(await busy.publish('news')).toBe(2);
  expect(await busy.publish('news')).toBe(3);
  // The record of offset 2 has run out, as the server does it when its time to live has passed.
  const request = { filter: idle.link.subjects.logSlot('news', { slots: 301, index: 2 }) };
  const stream = idle.link.subjects.logStream(0);
  const answer = await idle.link.main.request(`$JS.API.STREAM.PURGE.${stream}`, JSON.stringify(request));
  expect(answer.json()).toMatchObject({ purged: 1 });
  await idle.clock.advance(11 * MINUTE_MS);
  expect(await idle.publish('news')).toBe(4);
});

test('a publication that a replicated log stores late is not stored again by a writer that looked too soon', async () => {
  const prefix = freshPrefix();
  let attempt = 0;
  let late: (() => void) | undefined;
  // The first attempt is under way in the log, and unanswered; until it is stored the log refuses all else at its slot.
  const waylay =
    (append: Append): Append =>
    (message, timeoutMs, handler) => {
      attempt += 1;
      if (attempt === 2) {
        const silent: AppendHandler = { onOutcome: () => undefined, onFailure: () => undefined };
        late = () => append(message, timeoutMs, silent);
        handler.onFailure(new OperationalError('nats_timeout', 'no reply in time'), true);
      } else if (attempt === 3) handler.onOutcome({ kind: 'conflict' });
      else {
        late?.();
        late = undefined;
        append(message, timeoutMs, handler);
      }
    };
  const { publish, reader, clock } = await startWriter(prefix, waylay);
  expect(await publish('news')).toBe(1);
  const published = publish('news');
  // Each pause before another attempt.
  await clock.advance(1_000);
  expect(await published).toBe(2);
  expect((await reader.top('news'))?.state.offset).toBe(2);
});

test('a publication that one leader stores and a former one refuses is not stored again', async () => {
  const prefix = freshPrefix();
  let attempt = 0;
  // While the leader changes both get the record: the refusal comes first.
  const waylay =
    (append: Append): Append =>
    (message, timeoutMs, handler) => {
      attempt += 1;
      if (attempt !== 2) append(message, timeoutMs, handler);
      else {
        const onOutcome = (): void => handler.onOutcome({ kind: 'conflict' });
        append(message, timeoutMs, { onOutcome, onFailure: () => undefined });
      }
    };
  const { publish, reader } = await startWriter(prefix, waylay);
  expect(await publish('news')).toBe(1);
  expect(await publish('news')).toBe(2);
  expect((await reader.top('news'))?.state.offset).toBe(2);
});

test('of a refused record only those publications are taken for stored that are', async () => {
  const prefix = freshPrefix();
  const sender = await startWriter(prefix);
  const [first, early, given, kept] = [1, 2, 3, 4].map((serial) => ({ writer: 99, serial }));
  let attempt = 0;
  // Whoever sent one of two publications here has given up on us, and stores it before our record arrives.
  const waylay =
    (append: Append): Append =>
    (message, timeoutMs, handler) => {
      attempt += 1;
      if (attempt !== 3) append(message, timeoutMs, handler);
      else {
        sender.publishAs(given ?? NOBODY, 'news').then(
          () => append(message, timeoutMs, handler),
          () => handler.onFailure(new OperationalError('sender', 'the sender failed', { retriable: false }), false),
        );
      }
    };
  const { publishAs, reader } = await startWriter(prefix, waylay);
  expect(await publishAs(first ?? NOBODY, 'news')).toBe(1);
  // The last two wait for the one before, and share a record.
  const offsets = await Promise.all([early, given, kept].map((nonce) => publishAs(nonce ?? NOBODY, 'news')));
  expect(offsets).toEqual([2, 3, 4]);
  const top = await reader.top('news');
  expect(top?.bodies.map(({ nonce }) => nonce)).toEqual([kept]);
  expect(top?.state.offset).toBe(4);
});

const NOBODY: Nonce = { writer: 0, serial: 0 };
