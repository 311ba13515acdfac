import { describe, expect, it } from 'vitest';
import { FREE, HubBench, POSITIONED, RECOVERABLE, settle } from '../testing/hub-bench.ts';
import { text } from '../testing/fake-client.ts';

const CACHE = { ...RECOVERABLE, recoveryMode: 'cache' as const };

function published(count: number, retained = 100): HubBench {
  const bench = new HubBench();
  bench.broker.retained = retained;
  for (let offset = 1; offset <= count; offset += 1)
    bench.broker.publish('news', `${offset}`, { tags: { n: `${offset}` } });
  return bench;
}

function at(offset: number, epoch = 'epoch1'): { recoverFrom: { offset: number; epoch: string } } {
  return { recoverFrom: { offset, epoch } };
}

function offsetsOf(state: { publications: readonly { offset?: number | undefined }[] }): (number | undefined)[] {
  return state.publications.map(({ offset }) => offset);
}

describe('subscribing without recovery', () => {
  it('reads nothing and answers no position when none is wanted', async () => {
    const bench = published(3);
    expect(await bench.subscribe(bench.client(), FREE)).toEqual({
      positioned: false,
      recoverable: false,
      wasRecovering: false,
      recovered: false,
      publications: [],
      delta: false,
    });
    expect(bench.broker.calls).toEqual(['join news']);
  });

  it('answers the top when a position is wanted', async () => {
    const bench = published(3);
    expect(await bench.subscribe(bench.client(), POSITIONED)).toMatchObject({
      positioned: true,
      recoverable: false,
      epoch: 'epoch1',
      offset: 3,
      wasRecovering: false,
      recovered: false,
      publications: [],
    });
  });

  it('makes a stream where the channel keeps no history', async () => {
    const bench = new HubBench();
    const state = await bench.subscribe(bench.client(), { ...RECOVERABLE, retention: undefined });
    expect(state).toMatchObject({ positioned: true, recoverable: true, epoch: 'epoch1', offset: 0 });
  });

  it('counts what arrived after the read as part of the state, and delivers what comes later', async () => {
    const bench = published(3);
    const client = bench.client();
    const open = await bench.hub.open(client, 'news', POSITIONED);
    bench.broker.publish('news', '4');
    expect(open.finish()).toMatchObject({ offset: 4, publications: [] });
    bench.broker.publish('news', '5');
    expect(client.offsets).toEqual([5]);
  });

  it('merges identical reads that are in flight', async () => {
    const bench = published(3);
    bench.broker.isAutomatic = false;
    const opens = [1, 2, 3].map(() => bench.hub.open(bench.client(), 'news', POSITIONED));
    await settle();
    bench.broker.joins[0]?.promise.resolve();
    await settle();
    expect(bench.broker.reads).toHaveLength(1);
    bench.broker.answerRead();
    for (const open of opens) expect((await open).finish()).toMatchObject({ offset: 3 });
    expect(bench.counts.streamReads).toBe(1);
    expect(bench.counts.streamReadsShared).toBe(2);
  });

  it('says it was recovering where recovery was asked for but is not enabled', async () => {
    const bench = published(3);
    expect(await bench.subscribe(bench.client(), { ...FREE, ...at(1) })).toMatchObject({
      positioned: false,
      wasRecovering: true,
      recovered: false,
    });
    expect(await bench.subscribe(bench.client(), { ...POSITIONED, ...at(1), rejectUnrecovered: true })).toMatchObject({
      offset: 3,
      wasRecovering: true,
      recovered: false,
      publications: [],
    });
  });
});

describe('recovering a stream', () => {
  it('at the exact top recovers nothing', async () => {
    const bench = published(3);
    expect(await bench.subscribe(bench.client(), { ...RECOVERABLE, ...at(3) })).toMatchObject({
      recoverable: true,
      wasRecovering: true,
      recovered: true,
      offset: 3,
      epoch: 'epoch1',
      publications: [],
    });
  });

  it('returns what was missed, ascending, with the offset that was asked for, and goes on after it', async () => {
    const bench = published(5);
    const client = bench.client();
    const state = await bench.subscribe(client, { ...RECOVERABLE, ...at(2), rejectUnrecovered: true });
    expect(state).toMatchObject({ recovered: true, offset: 2 });
    expect(offsetsOf(state)).toEqual([3, 4, 5]);
    expect(state.publications.map(({ data }) => text(data))).toEqual(['3', '4', '5']);
    bench.broker.publish('news', '6');
    expect(client.offsets).toEqual([6]);
  });

  it('fails when more was missed than is retained', async () => {
    const bench = published(10, 3);
    expect(await bench.subscribe(bench.client(), { ...RECOVERABLE, ...at(2) })).toMatchObject({
      wasRecovering: true,
      recovered: false,
      offset: 10,
      publications: [],
    });
  });

  it('fails when more was missed than the limit, unless there is none', async () => {
    const bench = published(10);
    const options = { ...RECOVERABLE, ...at(0) };
    expect(await bench.subscribe(bench.client(), { ...options, recoveryLimit: 9 })).toMatchObject({ recovered: false });
    expect(await bench.subscribe(bench.client(), { ...options, recoveryLimit: 10 })).toMatchObject({ recovered: true });
    expect(await bench.subscribe(bench.client(), { ...options, recoveryLimit: 0 })).toMatchObject({ recovered: true });
  });

  it('fails with another epoch, and answers the present one', async () => {
    const bench = published(3);
    expect(await bench.subscribe(bench.client(), { ...RECOVERABLE, ...at(3, 'other') })).toMatchObject({
      wasRecovering: true,
      recovered: false,
      epoch: 'epoch1',
      offset: 3,
    });
  });

  it('succeeds without an epoch when everything from offset 1 is there', async () => {
    const bench = published(3);
    const state = await bench.subscribe(bench.client(), { ...RECOVERABLE, ...at(0, '') });
    expect(offsetsOf(state)).toEqual([1, 2, 3]);
    expect(state).toMatchObject({ recovered: true, offset: 0 });
  });

  it('fails from above the top', async () => {
    const bench = published(3);
    expect(await bench.subscribe(bench.client(), { ...RECOVERABLE, ...at(4) })).toMatchObject({
      recovered: false,
      offset: 3,
    });
  });

  it('rejects with error 112 and without a subscription if asked to', async () => {
    const bench = published(3);
    const client = bench.client();
    const open = await bench.hub.open(client, 'news', { ...RECOVERABLE, ...at(4), rejectUnrecovered: true });
    expect(() => open.finish()).toThrow(expect.objectContaining({ code: 112 }));
    expect(bench.hub.numSubscriptions).toBe(0);
    await bench.clock.advance(2_000);
    expect(bench.broker.joined.size).toBe(0);
    expect(await bench.subscribe(client, POSITIONED)).toMatchObject({ offset: 3 });
  });

  it('merges what arrives between read and finish, each once and in order', async () => {
    const bench = published(3);
    const client = bench.client();
    const open = await bench.hub.open(client, 'news', { ...RECOVERABLE, ...at(1) });
    bench.broker.publish('news', '4');
    bench.broker.publish('news', '"outside"', { skipHistory: true });
    bench.broker.publish('news', '5');
    const state = open.finish();
    expect(offsetsOf(state)).toEqual([2, 3, 4, 5]);
    expect(state.offset).toBe(1);
    bench.broker.publish('news', '6');
    expect(client.offsets).toEqual([6]);
  });

  it('serves many recoveries from one place with one read', async () => {
    const bench = published(3);
    await bench.subscribed(FREE);
    bench.broker.isAutomatic = false;
    const options = { ...RECOVERABLE, ...at(1) };
    const opens = [1, 2, 3].map(() => bench.hub.open(bench.client(), 'news', options));
    await settle();
    expect(bench.broker.reads).toHaveLength(1);
    bench.broker.answerRead();
    for (const open of opens) expect(offsetsOf((await open).finish())).toEqual([2, 3]);
  });

  it('does not share a read of which nothing that arrived since is kept', async () => {
    const bench = published(3);
    const early = bench.client();
    await bench.subscribed(FREE);
    bench.broker.isAutomatic = false;
    const first = bench.hub.open(early, 'news', { ...RECOVERABLE, ...at(1) });
    bench.hub.close(early, 'news');
    const second = bench.hub.open(early, 'news', { ...RECOVERABLE, ...at(1) });
    await settle();
    expect(bench.broker.reads).toHaveLength(2);
    bench.broker.answerRead();
    bench.broker.answerRead();
    await first;
    expect(offsetsOf((await second).finish())).toEqual([2, 3]);
  });

  it('ends with 3010 when more arrives than may be held back', async () => {
    const bench = new HubBench({ maxPendingPublications: 2 });
    bench.broker.publish('news', '1');
    const recovering = await bench.hub.open(bench.client(), 'news', { ...RECOVERABLE, ...at(0) });
    const other = await bench.hub.open(bench.client(), 'news', POSITIONED);
    for (const payload of ['2', '3', '4', '5']) bench.broker.publish('news', payload);
    expect(() => recovering.finish()).toThrow(expect.objectContaining({ code: 3010 }));
    expect(other.finish()).toMatchObject({ offset: 5 });
    expect(bench.counts.pendingOverflows).toBe(1);
    expect(bench.counts.insufficientStates).toBe(1);
    expect(bench.hub.numSubscriptions).toBe(1);
  });

  it('bounds what is held back by bytes too', async () => {
    const bench = new HubBench({ maxPendingBytes: 10 });
    const open = await bench.hub.open(bench.client(), 'news', { ...RECOVERABLE, ...at(0, '') });
    bench.broker.publish('news', '"1234"');
    bench.broker.publish('news', '"1234"');
    expect(() => open.finish()).toThrow(expect.objectContaining({ code: 3010 }));
  });

  it('ends with 3010 when the stream began anew between read and finish', async () => {
    const bench = published(3);
    const open = await bench.hub.open(bench.client(), 'news', { ...RECOVERABLE, ...at(1) });
    bench.broker.reset('news', false);
    bench.broker.publish('news', '1');
    expect(() => open.finish()).toThrow(expect.objectContaining({ code: 3010 }));
  });

  it('reads again when the stream began anew during the read', async () => {
    const bench = published(3);
    await bench.subscribed(FREE);
    bench.broker.isAutomatic = false;
    const open = bench.hub.open(bench.client(), 'news', { ...RECOVERABLE, ...at(1) });
    await settle();
    bench.broker.serveRead();
    bench.broker.reset('news', true);
    bench.broker.publish('news', '1');
    bench.broker.isAutomatic = true;
    bench.broker.answerRead();
    expect((await open).finish()).toMatchObject({ recovered: false, wasRecovering: true, epoch: 'epoch2', offset: 1 });
    expect(bench.counts.streamReads).toBe(2);
  });

  it('ends with 3010 when the stream began anew during each read', async () => {
    const bench = published(3);
    await bench.subscribed(FREE);
    bench.broker.isAutomatic = false;
    const open = bench.hub.open(bench.client(), 'news', POSITIONED);
    for (let read = 0; read < 2; read += 1) {
      await settle();
      bench.broker.serveRead();
      bench.broker.reset('news', true);
      bench.broker.answerRead();
    }
    const opened = await open;
    expect(() => opened.finish()).toThrow(expect.objectContaining({ code: 3010 }));
    expect(bench.broker.reads).toHaveLength(0);
  });

  it('ends with 3010 when a live copy between read and finish was lost', async () => {
    const bench = published(3);
    const open = await bench.hub.open(bench.client(), 'news', { ...RECOVERABLE, ...at(1) });
    bench.broker.send('news', '4');
    bench.broker.lose('news');
    bench.broker.publish('news', '5');
    expect(() => open.finish()).toThrow(expect.objectContaining({ code: 3010 }));
  });

  it('refuses a list that JSON can not carry with 3506', async () => {
    const bench = published(1);
    bench.broker.publish('news', '', { raw: Uint8Array.of(0xff) });
    const options = { ...RECOVERABLE, ...at(0) };
    await expect(bench.subscribe(bench.client(), options)).rejects.toMatchObject({ code: 3506 });
    const state = await bench.subscribe(bench.client({ form: 'protobuf' }), options);
    expect(offsetsOf(state)).toEqual([1, 2]);
    expect(bench.hub.numSubscriptions).toBe(1);
  });
});

describe('recovering from a cache', () => {
  it('returns exactly the latest publication to an older position', async () => {
    const bench = published(5);
    const state = await bench.subscribe(bench.client(), { ...CACHE, ...at(2) });
    expect(state).toMatchObject({ wasRecovering: true, recovered: true, offset: 2, epoch: 'epoch1' });
    expect(offsetsOf(state)).toEqual([5]);
  });

  it('returns nothing to the same position', async () => {
    const bench = published(5);
    expect(await bench.subscribe(bench.client(), { ...CACHE, ...at(5) })).toMatchObject({
      recovered: true,
      publications: [],
    });
  });

  it('does not recover from an empty cache and an unknown position', async () => {
    const bench = new HubBench();
    expect(await bench.subscribe(bench.client(), { ...CACHE, ...at(0, '') })).toMatchObject({
      wasRecovering: true,
      recovered: false,
    });
  });

  it('lets in who wanted to recover or nothing, as only stream mode looks at that', async () => {
    const bench = new HubBench();
    const state = await bench.subscribe(bench.client(), { ...CACHE, ...at(3), rejectUnrecovered: true });
    expect(state).toMatchObject({ positioned: true, wasRecovering: true, recovered: false, offset: 0 });
  });

  it('recovers unasked where the namespace says so, also for unidirectional connections', async () => {
    const bench = published(5);
    const state = await bench.subscribe(bench.client({ form: 'uni_json', topics: false }), {
      ...CACHE,
      autoCacheRecover: true,
    });
    expect(state).toMatchObject({ wasRecovering: true, recovered: true, offset: 0 });
    expect(offsetsOf(state)).toEqual([5]);
  });

  it('ignores that in stream mode', async () => {
    const bench = published(5);
    expect(await bench.subscribe(bench.client(), { ...RECOVERABLE, autoCacheRecover: true })).toMatchObject({
      wasRecovering: false,
      recovered: false,
      offset: 5,
    });
  });

  it('finds the newest publication that the filter lets through', async () => {
    const bench = published(5);
    const filter = { key: 'n', cmp: 'lte', val: '3' };
    const state = await bench.subscribe(bench.client(), { ...CACHE, ...at(1), filter });
    expect(offsetsOf(state)).toEqual([3]);
  });

  it.each([
    [2, false],
    [3, true],
    [0, true],
  ])('looks for it among the newest ones of the recovery limit %i', async (recoveryLimit, recovered) => {
    const bench = published(5);
    const filter = { key: 'n', cmp: 'lte', val: '3' };
    const state = await bench.subscribe(bench.client(), { ...CACHE, ...at(1), filter, recoveryLimit });
    expect(state).toMatchObject({ recovered });
  });

  it('keeps only the newest when more arrives before the reply', async () => {
    const bench = published(5);
    const open = await bench.hub.open(bench.client(), 'news', { ...CACHE, ...at(1) });
    bench.broker.publish('news', '6');
    bench.broker.publish('news', '7');
    expect(offsetsOf(open.finish())).toEqual([7]);
  });

  it('keeps all of them for a delta subscriber', async () => {
    const bench = published(5);
    const open = await bench.hub.open(bench.client(), 'news', { ...CACHE, ...at(1), delta: true });
    bench.broker.publish('news', '6');
    expect(offsetsOf(open.finish())).toEqual([5, 6]);
  });
});

describe('filters', () => {
  const filter = { key: 'n', cmp: 'eq', val: '3' };

  it('let through only what matches, and the position advances silently', async () => {
    const bench = published(0);
    const client = await bench.subscribed({ ...POSITIONED, filter });
    for (const n of ['1', '3', '4', '3']) bench.broker.publish('news', n, { tags: { n } });
    bench.broker.publish('news', 'null');
    expect(client.offsets).toEqual([2, 4]);
    expect(client.lost).toEqual([]);
  });

  it('apply to recovered publications after the decision', async () => {
    const bench = published(5);
    const state = await bench.subscribe(bench.client(), { ...RECOVERABLE, ...at(1), filter });
    expect(state).toMatchObject({ recovered: true, offset: 1 });
    expect(offsetsOf(state)).toEqual([3]);
    const none = await bench.subscribe(bench.client(), { ...RECOVERABLE, ...at(3), filter });
    expect(none).toMatchObject({ recovered: true, publications: [], offset: 3 });
  });

  it('cause no spurious 3010 when publications arrive meanwhile', async () => {
    const bench = published(5);
    const client = bench.client();
    const open = await bench.hub.open(client, 'news', { ...RECOVERABLE, ...at(1), filter });
    bench.broker.publish('news', '6', { tags: { n: '6' } });
    bench.broker.publish('news', '7', { tags: { n: '3' } });
    expect(offsetsOf(open.finish())).toEqual([3, 7]);
    bench.broker.publish('news', '8', { tags: { n: '3' } });
    expect(client.offsets).toEqual([8]);
  });

  it('do not apply to delta subscribers', async () => {
    const bench = published(2);
    const client = bench.client();
    const state = await bench.subscribe(client, { ...RECOVERABLE, ...at(0), filter, delta: true });
    expect(offsetsOf(state)).toEqual([1, 2]);
    bench.broker.publish('news', '"other"');
    expect(client.offsets).toEqual([3]);
  });
});
