import { memoryEngine } from '@carillon/cluster/memory';
import type { Decision, StreamAsk, StreamListener } from '@carillon/policy';
import type { SubscribeResult } from '@carillon/protocol/proxy';
import { FakeClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSessions, type RunningSessions } from './fixture/start-sessions.ts';

const NOW_S = 1_800_000_000;
const CHANNEL = 'stocks';
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A stream that a client's subscribe opened, with the test as its backend. */
interface Opened {
  readonly ask: StreamAsk;
  readonly listener: StreamListener;
  readonly published: string[];
  readonly decide: (decision: Decision<SubscribeResult>) => void;
  isClosed: boolean;
  takesPublications: boolean;
}

describe('a subscription that a stream of the backend feeds', () => {
  let clock: FakeClock;
  let node: RunningSessions;
  let streams: Opened[];

  const start = async (options: object = {}) => {
    const identity = { name: 'n', role: 'standalone', version: '1' } as const;
    const proxy = { subscribe_stream: { endpoint: 'grpc://127.0.0.1:1' } };
    const without_namespace = { subscribe_stream_proxy_enabled: true, ...options };
    node = await startSessions(
      memoryEngine({ clock, node: identity }),
      clock,
      { channel: { proxy, without_namespace } },
      {
        subscribeStream(ask, listener) {
          const decided = Promise.withResolvers<Decision<SubscribeResult>>();
          const published: string[] = [];
          const stream: Opened = {
            ask,
            listener,
            published,
            decide: decided.resolve,
            isClosed: false,
            takesPublications: true,
          };
          streams.push(stream);
          return {
            decision: decided.promise,
            publish: async (data) => {
              if (stream.takesPublications) published.push(Buffer.from(data).toString());
              return stream.takesPublications;
            },
            close: () => {
              stream.isClosed = true;
            },
          };
        },
      },
    );
  };

  beforeEach(() => {
    clock = new FakeClock(NOW_S * 1000);
    streams = [];
  });

  afterEach(() => node.close());

  const connected = async () => {
    const client = node.open();
    await client.connect({ user: 'u' });
    return client;
  };
  /** A client whose stream is open. */
  const subscribed = async (result: SubscribeResult = {}) => {
    const client = await connected();
    const asked = client.subscribe(CHANNEL);
    const stream = streams.at(-1) ?? expect.unreachable('no stream was opened');
    stream.decide({ kind: 'result', result });
    const reply = await asked;
    return { client, stream, reply };
  };
  const settle = () => new Promise((resolve) => void setImmediate(resolve));

  it('asks as a subscribe proxy is asked, and has its data and nothing of a position', async () => {
    await start({ force_recovery: true, history_size: 10, history_ttl: '1m' });
    const override = { forceRecovery: { value: true }, forcePositioning: { value: true } };
    const { stream, reply } = await subscribed({ data: bytes('{"a":1}'), override });
    expect(stream.ask).toMatchObject({
      proxyName: 'default',
      isBidirectional: false,
      message: { channel: CHANNEL, user: 'u', transport: 'websocket' },
    });
    expect(reply).toEqual({ id: reply?.id, subscribe: { data: { a: 1 } } });
  });

  it('takes no tags filter, even where the namespace allows them', async () => {
    await start({ allow_tags_filter: true });
    const client = await connected();
    const asked = client.command({ subscribe: { channel: CHANNEL, tf: { key: 'k', cmp: 'ex' } } });
    streams.at(-1)?.decide({ kind: 'result', result: {} });
    expect(await asked).toMatchObject({ error: { code: 107 } });
    expect(streams.at(-1)?.isClosed).toBe(true);
  });

  it('delivers to this client alone, after its reply, in order and without offsets', async () => {
    await start();
    const { client: other } = await subscribed();
    const client = await connected();
    const asked = client.subscribe(CHANNEL);
    const stream = streams.at(-1) ?? expect.unreachable('no stream was opened');
    stream.decide({ kind: 'result', result: undefined });
    stream.listener.onPublication({ data: bytes('1'), tags: { t: 'x' } });
    await asked;
    stream.listener.onPublication({ data: bytes('2') });
    const tail = client.received.slice(-3);
    expect(tail).toMatchObject([
      { subscribe: {} },
      { push: { channel: CHANNEL, pub: { data: 1, tags: { t: 'x' } } } },
      { push: { channel: CHANNEL, pub: { data: 2 } } },
    ]);
    expect(JSON.stringify(tail)).not.toContain('offset');
    expect(other.received.filter(({ push }) => push !== undefined)).toEqual([]);
  });

  it('also gets what is published to the channel', async () => {
    await start();
    const { client } = await subscribed();
    await node.engine.broker.publish({ channel: CHANNEL, data: bytes('1') });
    await settle();
    expect(client.received.at(-1)).toEqual({ push: { channel: CHANNEL, pub: { data: 1 } } });
  });

  it.each([
    ['completed', { code: 2000, reason: 'server unsubscribe' }],
    ['failed', { code: 2500, reason: 'insufficient state' }],
  ] as const)('that has %s unsubscribes the client, who may subscribe again', async (end, unsubscribe) => {
    await start();
    const { client, stream } = await subscribed();
    stream.listener.onEnd(end);
    expect(client.received.at(-1)).toEqual({ push: { channel: CHANNEL, unsubscribe } });
    await subscribed();
  });

  it('that ends at once says so after the reply', async () => {
    await start();
    const client = await connected();
    const asked = client.subscribe(CHANNEL);
    streams[0]?.decide({ kind: 'result', result: {} });
    streams[0]?.listener.onEnd('completed');
    await asked;
    expect(client.received.slice(-2)).toMatchObject([{ subscribe: {} }, { push: { unsubscribe: { code: 2000 } } }]);
  });

  it('ends its stream when the client unsubscribes, leaves or is unsubscribed, without another push', async () => {
    await start();
    const first = await subscribed();
    await first.client.command({ unsubscribe: { channel: CHANNEL } });
    const second = await subscribed();
    second.client.leave();
    const third = await subscribed();
    await node.engine.control.broadcast({
      kind: 'unsubscribe',
      select: { user: 'u' },
      channel: CHANNEL,
      code: 2000,
      reason: 'server unsubscribe',
    });
    await settle();
    expect([first, second, third].map(({ stream }) => stream.isClosed)).toEqual([true, true, true]);
    for (const { listener } of [first.stream, third.stream]) {
      listener.onPublication({ data: bytes('1') });
      listener.onEnd('failed');
    }
    // The server's unsubscribe reaches all connections of the user; nothing else is pushed to anybody.
    const pushes = [first, second, third].map(({ client }) => client.received.filter(({ push }) => push !== undefined));
    expect(pushes.map((each) => each.length)).toEqual([1, 0, 1]);
  });

  it('is no subscription when the client has left before it stood', async () => {
    await start({ presence: true });
    const client = await connected();
    const asked = client.subscribe(CHANNEL);
    client.leave();
    streams[0]?.decide({ kind: 'result', result: {} });
    await asked;
    await settle();
    expect(streams[0]?.isClosed).toBe(true);
    expect((await node.engine.presence.members(CHANNEL)).size).toBe(0);
  });

  it.each<[string, Decision<SubscribeResult>, object]>([
    ['refuses', { kind: 'error', code: 1000, message: 'no', temporary: false }, { code: 1000, message: 'no' }],
    ['fails', { kind: 'failed', reason: 'timeout' }, { code: 100, message: 'internal server error', temporary: true }],
    ['lets in too late', { kind: 'result', result: { expireAt: NOW_S - 1 } }, { code: 110 }],
    ['gives bad base64', { kind: 'result', result: { b64data: '!' } }, { code: 100 }],
  ])('is refused when the backend %s, and its stream is closed', async (_title, decision, error) => {
    await start();
    const client = await connected();
    const asked = client.subscribe(CHANNEL);
    streams[0]?.decide(decision);
    expect(await asked).toMatchObject({ error });
    expect(streams[0]?.isClosed).toBe(true);
    await subscribed();
  });

  it('closes the connection when the backend says so', async () => {
    await start();
    const client = await connected();
    const asked = client.subscribe(CHANNEL);
    streams[0]?.decide({ kind: 'disconnect', code: 4500, reason: 'banned' });
    await asked;
    expect(client.closed).toEqual({ code: 4500, reason: 'banned' });
  });

  it('takes publications of the client where it is bidirectional', async () => {
    await start({ subscribe_stream_proxy_bidirectional: true });
    const { client, stream } = await subscribed();
    expect(stream.ask.isBidirectional).toBe(true);
    expect(await client.command({ publish: { channel: CHANNEL, data: { hi: 1 } } })).toMatchObject({ publish: {} });
    expect(stream.published).toEqual(['{"hi":1}']);
    stream.takesPublications = false;
    const refused = await client.command({ publish: { channel: CHANNEL, data: {} } });
    expect(refused).toMatchObject({ error: { code: 100 } });
    const stranger = await connected();
    expect(await stranger.command({ publish: { channel: CHANNEL, data: {} } })).toMatchObject({ error: { code: 108 } });
  });

  it('takes no publications where it is unidirectional', async () => {
    await start({ allow_publish_for_client: true });
    const { client } = await subscribed();
    expect(await client.command({ publish: { channel: CHANNEL, data: {} } })).toMatchObject({ error: { code: 108 } });
  });

  it('subscribes again rather than lose what came before its reply in too large a number', async () => {
    await start();
    const client = await connected();
    const asked = client.subscribe(CHANNEL);
    for (let sent = 0; sent < 1_100; sent++) streams[0]?.listener.onPublication({ data: bytes('1') });
    streams[0]?.decide({ kind: 'result', result: {} });
    await asked;
    expect(client.received.at(-1)).toMatchObject({ push: { unsubscribe: { code: 2500 } } });
    expect(client.received.filter(({ push }) => push !== undefined)).toHaveLength(1_025);
    expect(streams[0]?.isClosed).toBe(true);
  });

  it('delivers a publication without a payload to a JSON client', async () => {
    await start();
    const { client, stream } = await subscribed();
    stream.listener.onPublication({ tags: { a: '1' } });
    expect(client.closed).toBeUndefined();
    expect(client.received.at(-1)).toEqual({ push: { channel: CHANNEL, pub: { tags: { a: '1' } } } });
  });

  it('sends a JSON client away that would have to be told what is no JSON', async () => {
    await start();
    const { client, stream } = await subscribed();
    stream.listener.onPublication({ data: new Uint8Array([0xff]) });
    expect(client.closed?.code).toBe(3506);
    expect(stream.isClosed).toBe(true);
  });

  it('is present and seen to join and leave where the namespace says so', async () => {
    await start({ presence: true, join_leave: true });
    const { client, stream } = await subscribed();
    expect((await node.engine.presence.members(CHANNEL)).size).toBe(1);
    stream.listener.onEnd('completed');
    await settle();
    expect((await node.engine.presence.members(CHANNEL)).size).toBe(0);
    expect(client.closed).toBeUndefined();
  });
});
