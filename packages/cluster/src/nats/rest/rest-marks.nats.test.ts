import { FakeClock, createSilentLog, systemClock } from '@carillon/service-kit';
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freshPrefix, nodeRecord } from '../broker-test/broker-test-cluster.ts';
import { createBrokerMetrics } from '../broker-metrics.ts';
import { connectNats } from '../nats-connection.ts';
import { channelStreams, declareStreams } from '../nats-streams.ts';
import { DirectGet } from '../request/direct-get.ts';
import { createLinkRequesters } from '../request/link-requesters.ts';
import { LogPublisher } from '../request/log-publisher.ts';
import { ReplyInbox } from '../request/reply-inbox.ts';
import { StreamScan } from '../request/stream-scan.ts';
import { LogReader } from '../log/log-reader.ts';
import { LogWriter } from '../log/log-writer.ts';
import { REST_AFTER_MS } from './rest-keeper.ts';
import { RestSweep } from './rest-sweep.ts';

const log = createSilentLog();
const retention = { historySize: 3, historyTtlMs: 60_000, historyMetaTtlMs: 30 * 86_400_000 };

let server: TestNats;
beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());

async function setUp(prefix = freshPrefix()) {
  const link = await connectNats({ url: server.url, prefix, shards: 2, log });
  const streams = channelStreams(link.subjects, { replicas: 1, storage: 'file', idempotencyTtlMs: 60_000 });
  await declareStreams(streams, { connection: link.main, subjects: link.subjects, log, clock: systemClock });
  // Time that the test moves, for what waits; requests are answered long before their deadlines.
  const clock = new FakeClock(Date.now());
  const inbox = new ReplyInbox({ connection: link.main, clock });
  const reads = new DirectGet({ connection: link.reads, clock, timeoutMs: 5_000 });
  const reader = new LogReader({ reads, subjects: link.subjects, log });
  const publisher = new LogPublisher({ link, inbox, onNoStream: () => undefined });
  const metrics = createBrokerMetrics(undefined);
  const writer = new LogWriter({ link, publisher, reader, clock, log, idempotencyTtlMs: 60_000, metrics });
  const scan = new StreamScan({ requester: createLinkRequesters(link, systemClock).reads, deadlineMs: 5_000 });
  onTestFinished(async () => {
    writer.close();
    inbox.close();
    reads.close();
    await link.close();
  });
  let serial = 0;
  const publish = (channel: string) => {
    serial += 1;
    const body = { nonce: { writer: 1, serial }, data: Buffer.from('x'), version: 0, isDelta: false };
    const entry = { channel, retention, body, idempotencyKey: '', versionEpoch: '', isRepeat: false };
    return writer.append(entry, 5_000);
  };
  return { link, clock, reader, writer, scan, publish, prefix };
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5_000) {
    await clock.advance(5_000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('a channel at rest is marked for the life of its epoch, and goes on from there', async () => {
  const { link, clock, reader, publish } = await setUp();
  await publish('a');
  const { position } = await publish('a');
  await pass(clock, 2 * REST_AFTER_MS + 10_000);
  const mark = await reader.top('a');
  expect(mark).toMatchObject({ state: { ...position, index: 2 }, bodies: [] });
  const subject = link.subjects.logSlot('a', { slots: 4, index: 3 });
  const stored = await link.main.request(
    `$JS.API.DIRECT.GET.${link.subjects.logStream(link.subjects.shardOf('a'))}`,
    JSON.stringify({ last_by_subj: subject }),
  );
  expect(Number(stored.headers?.get('Nats-TTL'))).toBeGreaterThan(29 * 86_400);
  expect(await publish('a')).toEqual({ position: { ...position, offset: 3 } });
  expect((await reader.top('a'))?.bodies).toHaveLength(1);
});

test('a channel whose writer died before the mark gets it from the next owner', async () => {
  const dead = await setUp();
  const { position } = await dead.publish('a');
  dead.writer.close();
  const { link, clock, reader, writer, scan } = await setUp(dead.prefix);
  const sweep = new RestSweep({
    scan,
    subjects: link.subjects,
    clock,
    log,
    nodes: () => [nodeRecord('next')],
    nodeId: 'next',
    onFound: (channel) => writer.noteUnmarked(channel),
  });
  onTestFinished(() => sweep.close());
  await pass(clock, 2 * REST_AFTER_MS + 20_000);
  await expect.poll(async () => (await reader.top('a'))?.bodies.length).toBe(0);
  expect((await reader.top('a'))?.state).toMatchObject(position);
});
