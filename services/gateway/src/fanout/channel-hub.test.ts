import { describe, expect, it } from 'vitest';
import { FREE, HubBench, POSITIONED, settle } from './testing/hub-bench.ts';

describe('live delivery', () => {
  it('hands a publication to every subscriber, encoded and published once per wire form', async () => {
    const bench = new HubBench();
    const json = [await bench.subscribed(FREE), await bench.subscribed(FREE)];
    const protobuf = [
      await bench.subscribed(FREE, { form: 'protobuf' }),
      await bench.subscribed(FREE, { form: 'protobuf' }),
    ];
    bench.broker.publish('news', '{"a":1}');
    for (const client of [...json, ...protobuf]) expect(client.payloads).toEqual(['{"a":1}']);
    expect(bench.topics.published.map(({ form }) => form)).toEqual(['json', 'protobuf']);
    expect(bench.counts.framesEncoded).toBe(2);
    expect(bench.counts.deliveries).toBe(4);
    expect(json[0]?.sends).toBe(0);
  });

  it('loops over the sockets whose transport has no topics', async () => {
    const bench = new HubBench();
    const looped = [
      await bench.subscribed(FREE, { topics: false }),
      await bench.subscribed(FREE, { form: 'uni_json', topics: false }),
      await bench.subscribed(FREE, { form: 'uni_protobuf', topics: false }),
    ];
    bench.broker.publish('news', '{"a":1}');
    for (const client of looped) {
      expect(client.payloads).toEqual(['{"a":1}']);
      expect(client.sends).toBe(1);
    }
    expect(bench.topics.published).toEqual([]);
    expect(Buffer.from(looped[1]?.messages[0] ?? []).toString()).toBe(
      '{"channel":"news","pub":{"data":{"a":1},"offset":1,"epoch":"epoch1"}}',
    );
  });

  it('shares the frame between positioned and other subscribers of one form', async () => {
    const bench = new HubBench();
    for (const options of [FREE, FREE, POSITIONED, POSITIONED]) await bench.subscribed(options);
    bench.broker.publish('news', '1');
    expect(bench.topics.published).toHaveLength(2);
    expect(bench.counts.framesEncoded).toBe(1);
  });

  it('sends straight to who is alone in its group, and to a topic once there are more', async () => {
    const bench = new HubBench();
    const first = await bench.subscribed(FREE);
    bench.broker.publish('news', '1');
    expect(bench.topics.published).toEqual([]);
    expect(first.messages).toHaveLength(1);
    const second = await bench.subscribed(FREE);
    bench.broker.publish('news', '2');
    expect(bench.topics.published).toHaveLength(1);
    bench.hub.close(first, 'news');
    bench.broker.publish('news', '3');
    expect(bench.topics.published).toHaveLength(2);
    expect([first.messages, second.messages].map((messages) => messages.length)).toEqual([2, 2]);
    bench.hub.close(second, 'news');
    bench.broker.publish('news', '4');
    const third = await bench.subscribed(FREE);
    bench.broker.publish('news', '5');
    expect(bench.topics.published).toHaveLength(2);
    expect(third.messages).toHaveLength(1);
  });

  it('sends offset always, the epoch with offset 1 only, and never a time', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(FREE);
    bench.broker.publish('news', '1', { publishedAt: 5 });
    bench.broker.publish('news', '2', { version: 7, tags: { k: 'v' } });
    bench.broker.publish('news', '3', { skipHistory: true });
    expect(client.messages.map((message) => Buffer.from(message).toString())).toEqual([
      '{"push":{"channel":"news","pub":{"data":1,"offset":1,"epoch":"epoch1"}}}',
      '{"push":{"channel":"news","pub":{"data":2,"offset":2,"tags":{"k":"v"},"version":7}}}',
      '{"push":{"channel":"news","pub":{"data":3}}}',
    ]);
  });

  it('delivers nothing before finish and nothing after close', async () => {
    const bench = new HubBench();
    const client = bench.client();
    const open = await bench.hub.open(client, 'news', FREE);
    bench.broker.publish('news', '1');
    expect(client.messages).toEqual([]);
    open.finish();
    bench.broker.publish('news', '2');
    bench.hub.close(client, 'news');
    bench.broker.publish('news', '3');
    expect(client.payloads).toEqual(['2']);
    expect(client.topics.size).toBe(0);
  });

  it('keeps order when a socket closes its session in the middle of a delivery', async () => {
    const bench = new HubBench();
    const clients = [];
    for (let index = 0; index < 3; index += 1) clients.push(await bench.subscribed(FREE, { topics: false }));
    const [first, second, third] = clients;
    if (first === undefined) throw new Error('no client');
    first.onMessage = () => bench.hub.close(first, 'news');
    bench.broker.publish('news', '1');
    bench.broker.publish('news', '2');
    expect(first.payloads).toEqual(['1']);
    expect(second?.payloads).toEqual(['1', '2']);
    expect(third?.payloads).toEqual(['1', '2']);
  });

  it('refuses a payload that is not JSON to JSON connections only', async () => {
    const bench = new HubBench();
    const json = await bench.subscribed(FREE);
    const looped = await bench.subscribed(POSITIONED, { topics: false });
    const protobuf = await bench.subscribed(FREE, { form: 'protobuf' });
    bench.broker.publish('news', '', { raw: Uint8Array.of(0xff, 0x00) });
    expect([json.refusals, looped.refusals, protobuf.refusals]).toEqual([1, 1, 0]);
    expect([json.messages.length, looped.messages.length, protobuf.messages.length]).toEqual([0, 0, 1]);
    expect(bench.counts.inappropriatePayloads).toBe(2);
  });

  it('ignores channels without subscribers', () => {
    const bench = new HubBench();
    bench.broker.joined.add('news');
    bench.broker.publish('news', '1');
    bench.hub.onJoin('news', { user: 'u', client: 'c' });
    bench.hub.onPositionLost('news');
    expect(bench.counts.publications).toBe(0);
  });
});

describe('positions', () => {
  it('skips a publication that positioned subscribers have, and hands it to the others', async () => {
    const bench = new HubBench();
    const positioned = await bench.subscribed(POSITIONED);
    const free = await bench.subscribed(FREE);
    const copy = { publication: { data: Buffer.from('1'), offset: 1 }, epoch: 'epoch1', delta: false, publishedAt: 0 };
    bench.hub.onPublication('news', copy);
    bench.hub.onPublication('news', copy);
    expect(positioned.offsets).toEqual([1]);
    expect(free.offsets).toEqual([1, 1]);
    expect(bench.counts.duplicates).toBe(1);
  });

  it('tells positioned subscribers of a gap once, and goes on with the others', async () => {
    const bench = new HubBench();
    const positioned = await bench.subscribed(POSITIONED);
    const free = await bench.subscribed(FREE);
    bench.broker.publish('news', '1');
    bench.broker.send('news', '2');
    bench.broker.lose('news');
    bench.broker.publish('news', '3');
    bench.broker.publish('news', '4');
    expect(positioned.offsets).toEqual([1]);
    expect(positioned.lost).toEqual(['news']);
    expect(positioned.topics.size).toBe(0);
    expect(free.offsets).toEqual([1, 3, 4]);
    expect(bench.hub.numSubscriptions).toBe(1);
    expect(bench.counts.insufficientStates).toBe(1);
  });

  it('lets a subscriber that was told of a gap subscribe again from within', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(POSITIONED);
    let again: Promise<unknown> | undefined;
    client.onLost = () => {
      again = bench.subscribe(client, {
        ...POSITIONED,
        recoverable: true,
        recoverFrom: { offset: 1, epoch: 'epoch1' },
      });
    };
    bench.broker.publish('news', '1');
    bench.broker.send('news', '2');
    bench.broker.lose('news');
    bench.broker.publish('news', '3');
    expect(await again).toMatchObject({ recovered: true, offset: 1, publications: [{ offset: 2 }, { offset: 3 }] });
    bench.broker.publish('news', '4');
    expect(client.offsets).toEqual([1, 4]);
  });

  it('tells positioned subscribers that the epoch changed', async () => {
    const bench = new HubBench();
    const positioned = await bench.subscribed(POSITIONED);
    bench.broker.publish('news', '1');
    bench.broker.reset('news', false);
    bench.broker.publish('news', '2');
    expect(positioned.lost).toEqual(['news']);
    expect(positioned.payloads).toEqual(['1']);
    const later = bench.client();
    expect(await bench.subscribe(later, POSITIONED)).toMatchObject({ epoch: 'epoch2', offset: 1 });
  });

  it('tells positioned subscribers when the broker says that positions are void', async () => {
    const bench = new HubBench();
    const positioned = await bench.subscribed(POSITIONED);
    const free = await bench.subscribed(FREE);
    bench.broker.reset('news', true);
    expect(positioned.lost).toEqual(['news']);
    expect(free.lost).toEqual([]);
  });

  it('delivers publications outside the stream without moving', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(POSITIONED);
    bench.broker.publish('news', '1');
    bench.broker.publish('news', '"outside"', { skipHistory: true });
    bench.broker.publish('news', '2');
    expect(client.payloads).toEqual(['1', '"outside"', '2']);
    expect(client.lost).toEqual([]);
  });

  it('finds live copies that were lost when somebody else reads the stream', async () => {
    const bench = new HubBench();
    const first = await bench.subscribed(POSITIONED);
    bench.broker.send('news', '1');
    bench.broker.lose('news');
    const second = bench.client();
    expect(await bench.subscribe(second, POSITIONED)).toMatchObject({ offset: 1 });
    expect(first.lost).toEqual(['news']);
    bench.broker.publish('news', '2');
    expect(second.offsets).toEqual([2]);
    expect(first.offsets).toEqual([]);
  });

  it('counts a publication that arrives too late as lost state, if so configured', async () => {
    const bench = new HubBench({ positionMaxLagMs: 1_000 });
    const client = await bench.subscribed(POSITIONED);
    bench.broker.publish('news', '1', { publishedAt: bench.clock.now() - 1_000 });
    bench.broker.publish('news', '2', { publishedAt: bench.clock.now() - 1_001 });
    expect(client.payloads).toEqual(['1']);
    expect(client.lost).toEqual(['news']);
  });
});

describe('joining and parting', () => {
  it('joins before the first subscriber is answered, and once for all who wait', async () => {
    const bench = new HubBench();
    bench.broker.isAutomatic = false;
    const opens = [bench.hub.open(bench.client(), 'news', FREE), bench.hub.open(bench.client(), 'news', FREE)];
    let answered = 0;
    for (const open of opens) void open.then(() => (answered += 1));
    await settle();
    expect(bench.broker.calls).toEqual(['join news']);
    expect(answered).toBe(0);
    bench.broker.joins[0]?.promise.resolve();
    await Promise.all(opens);
    expect(answered).toBe(2);
    await bench.hub.open(bench.client(), 'news', FREE);
    expect(bench.broker.calls).toEqual(['join news']);
  });

  it('parts a second after the last subscriber left, not before', async () => {
    const bench = new HubBench();
    const first = await bench.subscribed(FREE);
    const second = await bench.subscribed(FREE);
    bench.hub.close(first, 'news');
    await bench.clock.advance(5_000);
    bench.hub.close(second, 'news');
    await bench.clock.advance(999);
    expect(bench.broker.countCalls('part')).toBe(0);
    await bench.clock.advance(500);
    expect(bench.broker.calls).toEqual(['join news', 'part news']);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('stays joined for a subscriber that comes back within the grace', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(FREE);
    bench.hub.close(client, 'news');
    await bench.clock.advance(900);
    await bench.subscribe(client, FREE);
    await bench.clock.advance(5_000);
    expect(bench.broker.calls).toEqual(['join news']);
    bench.broker.publish('news', '1');
    expect(client.payloads).toEqual(['1']);
  });

  it('joins again only after the part before it is done', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(FREE);
    bench.hub.close(client, 'news');
    bench.broker.isAutomatic = false;
    await bench.clock.advance(1_500);
    const again = bench.hub.open(client, 'news', FREE);
    await settle();
    expect(bench.broker.calls).toEqual(['join news', 'part news']);
    bench.broker.parts[0]?.promise.resolve();
    await settle();
    expect(bench.broker.calls).toEqual(['join news', 'part news', 'join news']);
    bench.broker.joins[0]?.promise.resolve();
    (await again).finish();
    expect(bench.broker.joined.has('news')).toBe(true);
  });

  it('fails the opens that wait for a join that fails, leaves nothing behind, and tries again for the next', async () => {
    const bench = new HubBench();
    bench.broker.failJoins = 1;
    const opens = [bench.hub.open(bench.client(), 'news', FREE), bench.hub.open(bench.client(), 'news', FREE)];
    const outcomes = await Promise.allSettled(opens);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(opens[0]).rejects.toMatchObject({ code: 'broker_away' });
    expect(bench.hub.numSubscriptions).toBe(0);
    const client = await bench.subscribed(FREE);
    bench.hub.close(client, 'news');
    await bench.clock.advance(2_000);
    expect(bench.broker.calls).toEqual(['join news', 'join news', 'part news']);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('frees the slot of a subscribe whose read fails', async () => {
    const bench = new HubBench();
    const client = bench.client();
    bench.broker.failReads = 1;
    await expect(bench.hub.open(client, 'news', POSITIONED)).rejects.toMatchObject({ code: 'broker_away' });
    expect(await bench.subscribe(client, POSITIONED)).toMatchObject({ positioned: true });
  });

  it('refuses a second subscribe of the same connection, in flight or live', async () => {
    const bench = new HubBench();
    const client = bench.client();
    const open = await bench.hub.open(client, 'news', FREE);
    await expect(bench.hub.open(client, 'news', FREE)).rejects.toMatchObject({ code: 105 });
    open.finish();
    await expect(bench.hub.open(client, 'news', FREE)).rejects.toMatchObject({ code: 105 });
  });

  it('gives up an opening that is closed, whatever its caller still does', async () => {
    const bench = new HubBench();
    const client = bench.client();
    const open = await bench.hub.open(client, 'news', FREE);
    bench.hub.close(client, 'news');
    expect(() => open.finish()).toThrow(expect.objectContaining({ code: 3000 }));
    const second = await bench.hub.open(client, 'news', FREE);
    open.abandon();
    second.finish();
    second.abandon();
    bench.broker.publish('news', '1');
    expect(client.payloads).toEqual(['1']);
    bench.hub.close(client, 'news');
    bench.hub.close(client, 'news');
    bench.hub.close(client, 'unknown');
    await bench.clock.advance(2_000);
    expect(bench.broker.joined.size).toBe(0);
  });

  it('counts channels and subscriptions that are live', async () => {
    const bench = new HubBench();
    const client = bench.client();
    await bench.subscribe(client, FREE, 'a');
    await bench.subscribe(client, POSITIONED, 'b');
    await bench.subscribe(bench.client(), FREE, 'b');
    await bench.hub.open(bench.client(), 'c', FREE);
    expect(bench.hub.numChannels).toBe(2);
    expect(bench.hub.numSubscriptions).toBe(3);
    expect([...bench.hub.channelCounts()]).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    bench.hub.close(client, 'b');
    expect(bench.hub.numSubscriptions).toBe(2);
  });
});

describe('joins and leaves', () => {
  it('go to the subscriptions that want them, once per form', async () => {
    const bench = new HubBench();
    const wants = await bench.subscribed({ ...FREE, pushJoinLeave: true });
    const protobuf = await bench.subscribed({ ...POSITIONED, pushJoinLeave: true }, { form: 'protobuf' });
    const uni = await bench.subscribed({ ...FREE, pushJoinLeave: true }, { form: 'uni_json', topics: false });
    const other = await bench.subscribed(FREE);
    const info = { user: 'u', client: 'c', chanInfo: Buffer.from('{"x":1}') };
    bench.hub.onJoin('news', info);
    bench.hub.onLeave('news', info);
    expect(wants.messages.map((message) => Buffer.from(message).toString())).toEqual([
      '{"push":{"channel":"news","join":{"info":{"user":"u","client":"c","chan_info":{"x":1}}}}}',
      '{"push":{"channel":"news","leave":{"info":{"user":"u","client":"c","chan_info":{"x":1}}}}}',
    ]);
    expect(protobuf.pushes.map(({ join, leave }) => [join?.info?.client, leave?.info?.client])).toEqual([
      ['c', undefined],
      [undefined, 'c'],
    ]);
    expect(uni.pushes[0]?.join?.info?.user).toBe('u');
    expect(other.messages).toEqual([]);
    expect(bench.counts.joinLeaveDeliveries).toBe(6);
    bench.hub.close(wants, 'news');
    bench.hub.onJoin('news', info);
    expect(wants.messages).toHaveLength(2);
    expect(wants.topics.size).toBe(0);
  });

  it('are refused to JSON connections when the info is not JSON', async () => {
    const bench = new HubBench();
    const json = await bench.subscribed({ ...FREE, pushJoinLeave: true });
    bench.hub.onJoin('news', { user: 'u', client: 'c', connInfo: Uint8Array.of(0xff) });
    expect(json.refusals).toBe(1);
    expect(json.messages).toEqual([]);
  });
});
