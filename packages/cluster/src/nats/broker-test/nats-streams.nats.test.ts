import { createSilentLog, systemClock } from '@carillon/service-kit';
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { connectNats, type ConnectNatsOptions, type NatsLink } from '../nats-connection.ts';
import { channelStreams, declareStreams, type NatsStreamOptions } from '../nats-streams.ts';
import { freshPrefix } from './broker-test-cluster.ts';

const log = createSilentLog();
const streamOptions: NatsStreamOptions = {
  replicas: 1,
  storage: 'file',
  idempotencyTtlMs: 300_000,
};

let server: TestNats;
beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());

async function link(options: Partial<ConnectNatsOptions> = {}): Promise<NatsLink> {
  const connected = await connectNats({ url: server.url, prefix: freshPrefix(), shards: 1, log, ...options });
  onTestFinished(() => connected.close());
  return connected;
}

const declare = ({ main, subjects }: NatsLink, change: Partial<NatsStreamOptions> = {}): Promise<void> =>
  declareStreams(channelStreams(subjects, { ...streamOptions, ...change }), {
    connection: main,
    subjects,
    log,
    clock: systemClock,
    deadlineMs: 2_000,
  });

async function infoOf(
  { main }: NatsLink,
  stream: string,
): Promise<{ config: Record<string, unknown>; created: string }> {
  return (await main.request(`$JS.API.STREAM.INFO.${stream}`, '', { timeout: 2_000 })).json();
}

describe('streams', () => {
  test('are declared by several nodes at a time, and again, without a change', async () => {
    const first = await link();
    const second = await link({ prefix: first.subjects.prefix });
    await Promise.all([declare(first), declare(second)]);
    const { created } = await infoOf(first, first.subjects.logStream(0));
    await declare(first);
    expect((await infoOf(first, first.subjects.logStream(0))).created).toBe(created);
  });

  test('follow a change of the configuration', async () => {
    const node = await link();
    await declare(node);
    await declare(node, { idempotencyTtlMs: 600_000 });
    expect((await infoOf(node, node.subjects.logStream(0))).config['duplicate_window']).toBe(600_000 * 1e6);
  });

  test('of somebody else are left alone, with a clear error', async () => {
    const node = await link();
    const stream = node.subjects.logStream(0);
    await node.main.request(
      `$JS.API.STREAM.CREATE.${stream}`,
      JSON.stringify({ name: stream, subjects: [`${stream}.x`] }),
    );
    await expect(declare(node)).rejects.toMatchObject({
      code: 'nats_foreign_stream',
      message: expect.stringContaining(stream),
    });
  });

  test('of another number of shards or another storage are refused', async () => {
    const node = await link();
    await declare(node);
    const other = await link({ prefix: node.subjects.prefix, shards: 2 });
    await expect(declare(other)).rejects.toMatchObject({ code: 'nats_shards' });
    await expect(declare(node, { storage: 'memory' })).rejects.toMatchObject({ code: 'nats_stream_storage' });
  });
});

describe('the connection', () => {
  test('says that no server is there', async () => {
    await expect(link({ url: 'nats://user:secret@127.0.0.1:1', connectDeadlineMs: 500 })).rejects.toMatchObject({
      code: 'nats_connect',
      message: expect.not.stringContaining('secret'),
    });
  });

  test('says that JetStream is missing', async () => {
    const plain = await startNats({ exclusive: true, jetstream: false });
    onTestFinished(() => plain.stop());
    await expect(link({ url: plain.url, connectDeadlineMs: 500 })).rejects.toMatchObject({ code: 'nats_jetstream' });
  });

  test('takes credentials from options and from the URL', async () => {
    const extraConfig = 'authorization { users: [ { user: ann, password: "p@ss" } ] }';
    const closed = await startNats({ exclusive: true, extraConfig });
    onTestFinished(() => closed.stop());
    const port = new URL(closed.url).port;
    const withOptions = await link({ url: `nats://127.0.0.1:${port}`, user: 'ann', password: 'p@ss' });
    expect(withOptions.unavailable()).toBeUndefined();
    const withUrl = await link({ url: `nats://ann:p%40ss@127.0.0.1:${port}` });
    expect(withUrl.unavailable()).toBeUndefined();
    await expect(link({ url: `nats://127.0.0.1:${port}`, connectDeadlineMs: 500 })).rejects.toMatchObject({
      code: 'nats_connect',
    });
  });

  test('refuses to publish and is unavailable once it is closed', async () => {
    const node = await connectNats({ url: server.url, log });
    await node.close();
    await node.close();
    expect(node.unavailable()).toBe('the connection to NATS is closed');
    expect(() => node.publish('a', Buffer.from('b'))).toThrow(expect.objectContaining({ code: 'nats_unavailable' }));
    await expect(node.whenConnected(10)).rejects.toMatchObject({ code: 'nats_unavailable' });
  });

  test('tells of a reconnect after its subscriptions are back, and publishes nothing in between', async () => {
    const own = await startNats({ exclusive: true });
    onTestFinished(() => own.stop());
    const node = await link({ url: own.url });
    const got: string[] = [];
    node.main.subscribe('a', { callback: (_, message) => void got.push(message.string()) });
    await node.main.flush();
    const reconnected = new Promise<void>((resolve) => {
      node.onReconnect(resolve);
    });
    await own.kill9();
    await expect.poll(() => node.isConnected).toBe(false);
    expect(() => node.publish('a', Buffer.from('during'))).toThrow(
      expect.objectContaining({ code: 'nats_unavailable' }),
    );
    const waiting = node.whenConnected(10_000);
    await own.restart();
    await Promise.all([reconnected, waiting]);
    const other = await connect({ servers: own.url });
    onTestFinished(() => other.close());
    other.publish('a', 'after');
    await expect.poll(() => got).toEqual(['after']);
  });
});
