import { describe, expect, it } from 'vitest';
import { FREE, HubBench, POSITIONED, settle } from './testing/hub-bench.ts';

describe('watching positions', () => {
  it('finds a publication that never arrived after the delay, with one read per channel', async () => {
    const bench = new HubBench();
    const clients = [await bench.subscribed(POSITIONED), await bench.subscribed(POSITIONED)];
    const free = await bench.subscribed(FREE);
    const reads = bench.broker.countCalls('history');
    bench.broker.send('news', '1');
    bench.broker.lose('news');
    await bench.clock.advance(39_999);
    expect(bench.broker.countCalls('history')).toBe(reads);
    await bench.clock.advance(2_000);
    expect(bench.broker.countCalls('history')).toBe(reads + 1);
    expect(clients.map(({ lost }) => lost)).toEqual([['news'], ['news']]);
    expect(free.lost).toEqual([]);
    expect(bench.hub.numSubscriptions).toBe(1);
  });

  it('finds a new epoch', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(POSITIONED);
    bench.broker.reset('news', false);
    await bench.clock.advance(41_000);
    expect(client.lost).toEqual(['news']);
  });

  it('finds a stream that went back', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(POSITIONED);
    bench.broker.publish('news', '1');
    bench.broker.publish('news', '2');
    bench.broker.stream('news').top = 1;
    await bench.clock.advance(41_000);
    expect(client.lost).toEqual(['news']);
    const later = bench.client();
    expect(await bench.subscribe(later, POSITIONED)).toMatchObject({ offset: 1 });
    bench.broker.publish('news', '3');
    expect(later.offsets).toEqual([2]);
  });

  it('checks again after each delay while all is well, and starts over with each delivery', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(POSITIONED);
    await bench.clock.advance(39_000);
    bench.broker.publish('news', '1');
    await bench.clock.advance(39_000);
    expect(bench.counts.positionChecks).toBe(0);
    await bench.clock.advance(2_000);
    expect(bench.counts.positionChecks).toBe(1);
    await bench.clock.advance(41_000);
    expect(bench.counts.positionChecks).toBe(2);
    expect(client.lost).toEqual([]);
  });

  it('takes no notice of a broker that fails', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(POSITIONED);
    bench.broker.failReads = 1;
    await bench.clock.advance(41_000);
    expect(client.lost).toEqual([]);
    expect(bench.counts.positionCheckFailures).toBe(1);
    await bench.clock.advance(41_000);
    expect(bench.counts.positionChecks).toBe(2);
  });

  it('takes no notice of publications that arrive during the read', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(POSITIONED);
    bench.broker.isAutomatic = false;
    await bench.clock.advance(41_000);
    expect(bench.broker.reads).toHaveLength(1);
    bench.broker.publish('news', '1');
    bench.broker.answerRead();
    bench.broker.publish('news', '2');
    await settle();
    expect(client.lost).toEqual([]);
    expect(client.offsets).toEqual([1, 2]);
  });

  it('has no more checks in flight than the bound', async () => {
    const bench = new HubBench({ maxPositionChecks: 2 });
    for (const channel of ['a', 'b', 'c', 'd', 'e']) await bench.subscribe(bench.client(), POSITIONED, channel);
    bench.broker.isAutomatic = false;
    await bench.clock.advance(45_000);
    expect(bench.broker.reads).toHaveLength(2);
    while (bench.broker.answerRead());
    await bench.clock.advance(2_000);
    expect(bench.broker.reads).toHaveLength(2);
    while (bench.broker.answerRead());
    await bench.clock.advance(2_000);
    expect(bench.broker.reads).toHaveLength(1);
  });

  it('stops with the last positioned subscriber, and can be turned off', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(POSITIONED);
    await bench.subscribed(FREE);
    bench.hub.close(client, 'news');
    expect(bench.clock.pendingTimers).toBeLessThanOrEqual(1);
    await bench.clock.advance(90_000);
    expect(bench.counts.positionChecks).toBe(0);
    const off = new HubBench({ positionCheckDelayMs: 0 });
    await off.subscribed(POSITIONED);
    expect(off.clock.pendingTimers).toBe(0);
  });

  it('leaves no timer behind when the hub stops', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(POSITIONED);
    await bench.subscribe(client, POSITIONED, 'other');
    bench.hub.close(client, 'other');
    bench.hub.stop();
    expect(bench.clock.pendingTimers).toBe(0);
  });
});
