import { createMetrics, OperationalError } from '@carillon/service-kit';
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { bytes, freshChannel, publishTexts, retain } from '../../contract/broker-setup.ts';
import { eventually } from '../../contract/eventually.ts';
import { textAt } from '../../contract/recording-receiver.ts';
import { ASKING_RECOVERIES } from '../live/live-receiver.ts';
import { freshPrefix, nodeRecord, startNode, type TestNode, type TestNodeOptions } from './broker-test-cluster.ts';
import { tamperWith, type Tampering } from './tampered-link.ts';

async function nodeFor(options: TestNodeOptions, tampering?: Tampering): Promise<TestNode> {
  const node = await startNode({ ...options, tamper: tampering && ((link) => tamperWith(link, tampering)) });
  onTestFinished(() => node.close());
  return node;
}

describe('on a NATS server', () => {
  let server: TestNats;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  test('live copies that are lost are read from the log, in order and once', async () => {
    const prefix = freshPrefix();
    let numLive = 0;
    const isLost = (_: unknown, subscribed: string): boolean =>
      subscribed.startsWith(`${prefix}.f.`) && [1, 2, 4, 5, 6].includes(numLive++ % 8);
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix }, { isLost });
    const channel = freshChannel();
    const retention = retain({ historySize: 50 });
    await reader.broker.join(channel, { retention });
    const texts = Array.from({ length: 40 }, (_, index) => `m${index}`);
    await publishTexts(publisher, channel, texts, retention);
    // The last copies may be among the lost: a read accounts for them.
    await reader.broker.history(channel, { retention, limit: 0 });
    expect(reader.received.log(channel)).toEqual(texts.map((text, index) => `${text}@${index + 1}`));
  });

  test('copies that come twice and late are dropped', async () => {
    const prefix = freshPrefix();
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix });
    const channel = freshChannel();
    await reader.broker.join(channel, { retention: retain() });
    const { link } = publisher;
    const copies: Uint8Array[] = [];
    const tap = link.main.subscribe(link.subjects.live(channel), {
      callback: (_, message) => void copies.push(message.data.slice()),
    });
    await link.main.flush();
    await publishTexts(publisher, channel, ['a', 'b', 'c']);
    await eventually(() => expect(copies).toHaveLength(3));
    tap.unsubscribe();
    for (const copy of copies) link.publish(link.subjects.live(channel), copy);
    await publishTexts(publisher, channel, ['d']);
    await eventually(() => expect(reader.received.log(channel)).toContain('d@4'));
    expect(reader.received.log(channel)).toEqual(['a@1', 'b@2', 'c@3', 'd@4']);
  });

  test('what the ring has lost is reported, and the rest is delivered', async () => {
    const prefix = freshPrefix();
    let isDeaf = false;
    const isLost = (_: unknown, subscribed: string): boolean => isDeaf && subscribed.startsWith(`${prefix}.f.`);
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix }, { isLost });
    const channel = freshChannel();
    const retention = retain({ historySize: 3 });
    await reader.broker.join(channel, { retention });
    await publishTexts(publisher, channel, ['a'], retention);
    await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1']));
    isDeaf = true;
    await publishTexts(publisher, channel, ['b', 'c', 'd', 'e', 'f', 'g'], retention);
    isDeaf = false;
    await publishTexts(publisher, channel, ['h'], retention);
    await eventually(() => expect(reader.received.log(channel)).toContain('h@8'));
    expect(reader.received.log(channel)).toEqual(['a@1', 'position lost', 'e@5', 'f@6', 'g@7', 'h@8']);
  });

  test('gaps and losses are counted', async () => {
    const prefix = freshPrefix();
    let isDeaf = true;
    const isLost = (_: unknown, subscribed: string): boolean => isDeaf && subscribed.startsWith(`${prefix}.f.`);
    const metrics = createMetrics({ prefix: 'test', withProcessMetrics: false });
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix, metrics }, { isLost });
    const channel = freshChannel();
    const retention = retain({ historySize: 2 });
    const read = () => reader.broker.history(channel, { retention, limit: 0 });
    await reader.broker.join(channel, { retention });
    await publishTexts(publisher, channel, ['a', 'b'], retention);
    await read();
    await publishTexts(publisher, channel, ['c', 'd', 'e', 'f', 'g'], retention);
    isDeaf = false;
    await read();
    const { body } = await metrics.render();
    expect(body).toContain('test_broker_gaps_filled_total 1');
    expect(body).toContain('test_broker_positions_lost_total 1');
  });

  test('many recoveries of a joined channel that it covers cost no read, also when they come one after the other', async () => {
    const prefix = freshPrefix();
    let numReads = 0;
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix }, { onRead: () => void (numReads += 1) });
    const channel = freshChannel();
    const retention = retain({ historySize: 10 });
    await publishTexts(publisher, channel, ['a'], retention);
    await reader.broker.join(channel, { retention });
    await publishTexts(publisher, channel, ['b', 'c'], retention);
    await eventually(() => expect(reader.received.log(channel)).toEqual(['b@2', 'c@3']));
    const { top } = await reader.broker.history(channel, { retention, limit: 0 });
    const since = { ...top, offset: 1 };
    for (let count = 0; count < ASKING_RECOVERIES; count += 1) {
      await reader.broker.history(channel, { retention, limit: 10, since, isRecovery: true });
    }
    const before = numReads;
    for (const offset of [1, 2, 3, 1]) {
      const page = await reader.broker.history(channel, {
        retention,
        limit: 10,
        since: { ...top, offset },
        isRecovery: true,
      });
      expect(page.publications.map((publication) => publication.offset)).toEqual(
        [2, 3].filter((each) => each > offset),
      );
    }
    expect(numReads).toBe(before);
    await reader.broker.history(channel, { retention, limit: 10, since: { ...top, offset: 4 }, isRecovery: true });
    expect(numReads).toBeGreaterThan(before);
  });

  test('a read hands over what the live subject has lost before it answers', async () => {
    const prefix = freshPrefix();
    const isLost = (_: unknown, subscribed: string): boolean => subscribed.startsWith(`${prefix}.f.`);
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix }, { isLost });
    const channel = freshChannel();
    await reader.broker.join(channel, { retention: retain() });
    await publishTexts(publisher, channel, ['a', 'b', 'c']);
    const page = await reader.broker.history(channel, { retention: retain(), limit: 0 });
    expect(page.top.offset).toBe(3);
    expect(reader.received.log(channel)).toEqual(['a@1', 'b@2', 'c@3']);
  });

  test('a silent loss is found by the scrub', async () => {
    const prefix = freshPrefix();
    const isLost = (_: unknown, subscribed: string): boolean => subscribed.startsWith(`${prefix}.f.`);
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix, scrubPeriodMs: 1_200 }, { isLost });
    const channels = Array.from({ length: 5 }, () => freshChannel());
    for (const channel of channels) await reader.broker.join(channel, { retention: retain() });
    for (const channel of channels) await publishTexts(publisher, channel, ['a', 'b']);
    for (const channel of channels) {
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2']));
    }
  });

  test('what is lost right after a join, or when a leader is elected, is found soon', async () => {
    const prefix = freshPrefix();
    const isLost = (_: unknown, subscribed: string): boolean => subscribed.startsWith(`${prefix}.f.`);
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix, scrubPeriodMs: 3_600_000 }, { isLost });
    const channel = freshChannel();
    await reader.broker.join(channel, { retention: retain() });
    await publishTexts(publisher, channel, ['a']);
    await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1']));
    await publishTexts(publisher, channel, ['b']);
    const { link } = publisher;
    const stream = link.subjects.logStream(link.subjects.shardOf(channel));
    link.publish(`$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.${stream}`, bytes('{}'));
    await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2']));
  });

  test('a log that is purged under its writer goes on counting, and who needs what is gone is told', async () => {
    const prefix = freshPrefix();
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix });
    const cold = await nodeFor({ url: server.url, prefix });
    const channel = freshChannel();
    const retention = retain();
    await reader.broker.join(channel, { retention });
    await publishTexts(publisher, channel, ['a', 'b']);
    await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2']));
    const { link } = publisher;
    const stream = link.subjects.logStream(link.subjects.shardOf(channel));
    await link.main.request(`$JS.API.STREAM.PURGE.${stream}`, '', { timeout: 2_000 });
    expect(await publishTexts(publisher, channel, ['c'])).toEqual([3]);
    await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2', 'c@3']));
    const page = await cold.broker.history(channel, { retention, limit: -1 });
    expect(page.publications.map(textAt)).toEqual(['c@3']);
  });

  test('an append whose acknowledgement is lost is stored once and acknowledged', async () => {
    const prefix = freshPrefix();
    let numAcks = 0;
    const isLost = (_: unknown, subscribed: string): boolean =>
      subscribed.startsWith('_INBOX.') && subscribed.endsWith('.*') && numAcks++ % 2 === 0;
    const publisher = await nodeFor({ url: server.url, prefix }, { isLost });
    const channel = freshChannel();
    expect(await publishTexts(publisher, channel, ['a', 'b'])).toEqual([1, 2]);
    const page = await publisher.broker.history(channel, { retention: retain(), limit: -1 });
    expect(page.publications.map(textAt)).toEqual(['a@1', 'b@2']);
    const keyed = { channel, data: bytes('c'), retention: retain(), idempotencyKey: 'k' };
    const result = await publisher.broker.publish(keyed);
    expect(result).toEqual({ position: { offset: 3, epoch: page.top.epoch } });
    const aside = { channel, data: bytes('aside'), idempotencyKey: 'k2' };
    expect(await publisher.broker.publish(aside)).toEqual({ position: { offset: 0, epoch: '' } });
  });

  test('a publication whose owner answers too late is stored once', async () => {
    const prefix = freshPrefix();
    const nodes = () => [nodeRecord('owner')];
    const common = { url: server.url, prefix, nodes, publishDeadlineMs: 1_500 };
    const isLost = (_: unknown, subscribed: string): boolean => subscribed.startsWith('_INBOX.');
    // The owner writes, but never hears that it did, so it never answers in time.
    await nodeFor({ ...common, nodeId: 'owner' }, { isLost });
    const edge = await nodeFor({ ...common, nodeId: 'edge', role: 'edge' });
    const channel = freshChannel();
    expect(await publishTexts(edge, channel, ['a'])).toEqual([1]);
    const page = await edge.broker.history(channel, { retention: retain(), limit: -1 });
    expect(page.publications.map(textAt)).toEqual(['a@1']);
  });

  test('a publication is stored although its owner is dead', async () => {
    const nodes = () => [nodeRecord('dead')];
    const edge = await nodeFor({ url: server.url, prefix: freshPrefix(), nodes, nodeId: 'edge', role: 'edge' });
    expect(await publishTexts(edge, freshChannel(), ['a', 'b'])).toEqual([1, 2]);
  });

  test('writers that race each other store each publication once', async () => {
    const prefix = freshPrefix();
    const writers = await Promise.all([1, 2, 3].map(() => nodeFor({ url: server.url, prefix })));
    const channel = freshChannel();
    const retention = retain({ historySize: 500 });
    const results = await Promise.all(
      writers.flatMap(({ broker }, writer) =>
        Array.from({ length: 60 }, (_, index) =>
          broker.publish({ channel, data: bytes(`${writer}-${index}`), retention }),
        ),
      ),
    );
    expect(results.map(({ position }) => position.offset).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 180 }, (_, index) => index + 1),
    );
    const page = await writers[0]?.broker.history(channel, { retention, limit: -1 });
    expect(new Set(page?.publications.map((publication) => Buffer.from(publication.data ?? []).toString())).size).toBe(
      180,
    );
  });

  test('recoveries of one channel at the same time share their reads', async () => {
    const prefix = freshPrefix();
    let numReads = 0;
    const onRead = (): void => void (numReads += 1);
    const publisher = await nodeFor({ url: server.url, prefix });
    const reader = await nodeFor({ url: server.url, prefix }, { onRead });
    const channel = freshChannel();
    const retention = retain({ historySize: 100 });
    const texts = Array.from({ length: 50 }, (_, index) => `m${index}`);
    await publishTexts(publisher, channel, texts, retention);
    await reader.broker.join(channel, { retention });
    numReads = 0;
    const request = { retention, limit: -1, since: { offset: 10, epoch: '' } };
    const pages = await Promise.all(Array.from({ length: 500 }, () => reader.broker.history(channel, request)));
    for (const page of pages) expect(page.publications).toHaveLength(40);
    expect(numReads).toBeLessThanOrEqual(3);
    numReads = 0;
    await Promise.all(Array.from({ length: 500 }, () => reader.broker.history(channel, request)));
    expect(numReads).toBe(2);
  });
});

describe('when NATS goes away', () => {
  test('publishes fail within their deadline, and offsets, epoch and live delivery go on afterwards', async () => {
    const server = await startNats({ exclusive: true, syncAlways: true });
    onTestFinished(() => server.stop());
    const common = { url: server.url, prefix: freshPrefix(), publishDeadlineMs: 700 };
    const publisher = await nodeFor(common);
    const reader = await nodeFor(common);
    const channel = freshChannel();
    const retention = retain();
    await reader.broker.join(channel, { retention });
    await publishTexts(publisher, channel, ['a', 'b'], retention);
    const before = await reader.broker.history(channel, { retention, limit: 0 });

    await server.kill9();
    await eventually(() => expect(publisher.broker.unavailable()).toBe('no connection to NATS'));
    const startedAt = performance.now();
    await expect(publishTexts(publisher, channel, ['lost'], retention)).rejects.toBeInstanceOf(OperationalError);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await expect(publisher.broker.publish({ channel, data: bytes('live') })).rejects.toMatchObject({
      code: 'nats_unavailable',
    });

    await server.restart();
    await eventually(() => expect(publisher.broker.unavailable()).toBeUndefined());
    await eventually(() => expect(reader.broker.unavailable()).toBeUndefined());
    const offsets = await eventually(() => publishTexts(publisher, channel, ['c'], retention));
    expect(offsets).toEqual([3]);
    await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2', 'c@3']));
    const after = await reader.broker.history(channel, { retention, limit: -1 });
    expect(after.top).toEqual({ offset: 3, epoch: before.top.epoch });
    expect(after.publications.map(textAt)).toEqual(['a@1', 'b@2', 'c@3']);
  });

  test('a log that comes back with less than it acknowledged begins a new epoch: no offset means two publications', async () => {
    const server = await startNats({ exclusive: true });
    onTestFinished(() => server.stop());
    const common = { url: server.url, prefix: freshPrefix() };
    const publisher = await nodeFor(common);
    const reader = await nodeFor(common);
    const channel = freshChannel();
    const retention = retain();
    await reader.broker.join(channel, { retention });
    await publishTexts(publisher, channel, ['a', 'b']);
    await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2']));
    const before = await publisher.broker.history(channel, { retention, limit: 0 });
    const { link } = publisher;
    const stream = link.subjects.logStream(link.subjects.shardOf(channel));
    // What a power cut takes from a server that does not sync each write.
    await link.main.request(`$JS.API.STREAM.MSG.DELETE.${stream}`, '{"seq":2}', { timeout: 2_000 });
    await server.restart();
    await eventually(() => expect(publisher.broker.unavailable()).toBeUndefined());
    await eventually(() => expect(reader.broker.unavailable()).toBeUndefined());
    expect(await eventually(() => publishTexts(publisher, channel, ['c']))).toEqual([1]);
    await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2', 'c@1']));
    const after = await reader.broker.history(channel, { retention, limit: 0 });
    expect(after.top.epoch).not.toBe(before.top.epoch);
  });

  test('a log in memory that is gone begins a new epoch, and receivers are told', async () => {
    const server = await startNats({ exclusive: true });
    onTestFinished(() => server.stop());
    const common = { url: server.url, prefix: freshPrefix() };
    const publisher = await nodeFor({ ...common, storage: 'memory' });
    const reader = await nodeFor({ ...common, storage: 'memory' });
    const channel = freshChannel();
    await reader.broker.join(channel, { retention: retain() });
    await publishTexts(publisher, channel, ['a', 'b']);
    const before = await reader.broker.history(channel, { retention: retain(), limit: 0 });
    await server.restart();
    await eventually(() => expect(publisher.broker.unavailable()).toBeUndefined());
    await eventually(() => expect(reader.broker.unavailable()).toBeUndefined());
    expect(await eventually(() => publishTexts(publisher, channel, ['c']))).toEqual([1]);
    // The check of positions after a reconnect may come first, and then it tells them.
    const heard = () => reader.received.log(channel).filter((event) => event !== 'position lost');
    await eventually(() => expect(heard()).toEqual(['a@1', 'b@2', 'c@1']));
    expect(new Set(reader.received.lives(channel).map(({ epoch }) => epoch)).size).toBe(2);
    const after = await reader.broker.history(channel, { retention: retain(), limit: 0 });
    expect(after.top.epoch).not.toBe(before.top.epoch);
  });
});
