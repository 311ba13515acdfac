import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { ENCODINGS, type Encoding } from '../harness/official-client.ts';
import { installPythonPackage, startPythonScript, type LineProcess } from '../harness/python-library.ts';
import { secondsFromNow, type Claims } from '../harness/token.ts';

const SCRIPT = fileURLToPath(new URL('python/drive-centrifuge.py', import.meta.url));
const INSTALL_DEADLINE_MS = 240_000;
const permissions = {
  allow_subscribe_for_client: true,
  allow_publish_for_subscriber: true,
  allow_history_for_subscriber: true,
  allow_presence_for_subscriber: true,
  history_ttl: '300s',
  force_recovery: true,
};
const namespaces = [
  { name: 'chat', ...permissions, history_size: 20, presence: true, join_leave: true, force_push_join_leave: true },
  { name: 'delta', ...permissions, history_size: 20, delta_publish: true, allowed_delta_types: ['fossil'] },
  { name: 'tagged', ...permissions, history_size: 20, allow_tags_filter: true },
  { name: 'small', ...permissions, history_size: 2 },
];
const config = { channel: { without_namespace: { history_size: 20, history_ttl: '300s' }, namespaces } };

interface Publication {
  readonly data: unknown;
  readonly offset: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly user: string | null;
}

/** What the library reported; `source` is the channel of a subscription, or `client`. */
interface Reported {
  readonly event: string;
  readonly source?: string;
  readonly channel?: string;
  readonly code?: number;
  readonly version?: string;
  readonly recovered?: boolean;
  readonly user?: string;
  readonly delta?: boolean;
  readonly publication?: Publication;
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message?: string; readonly kind?: string };
}

/** One client of the library. */
interface PythonClient {
  call(action: string, fields?: object): Promise<Answer>;
  events(event: string, source?: string): Promise<Reported[]>;
  publications(source: string): Promise<unknown[]>;
}

describe.each(DEPLOYMENTS)('centrifuge-python 0.7 on $kind', ({ start }) => {
  let server: Deployment;
  let library: LineProcess;
  let opened = 0;

  beforeAll(async () => {
    const python = await installPythonPackage('centrifuge-python', '0.7.*');
    server = await start({ config });
    library = startPythonScript(python, SCRIPT, []);
  }, INSTALL_DEADLINE_MS);
  afterAll(async () => {
    await library?.stop();
    await server?.stop();
  });

  /** Each on another gateway than the one before, where there are several. */
  const open = async (encoding: Encoding, token: string, nextToken?: string): Promise<PythonClient> => {
    opened += 1;
    const client = `client ${opened}`;
    const call = async (action: string, fields: object = {}): Promise<Answer> =>
      (await library.ask({ client, do: action, ...fields })) as Answer;
    const events = async (event: string, source = 'client'): Promise<Reported[]> => {
      const { result } = await call('events');
      return (result as Reported[]).filter((entry) => entry.event === event && (entry.source ?? source) === source);
    };
    await call('open', {
      url: server.wsUrl(opened),
      token,
      next_token: nextToken ?? null,
      protobuf: encoding === 'protobuf',
    });
    return {
      call,
      events,
      publications: async (source) =>
        (await events('publication', source)).map(({ publication }) => publication?.data ?? null),
    };
  };

  const connect = async (encoding: Encoding, user: string, claims?: Claims): Promise<PythonClient> => {
    const client = await open(encoding, server.token(user, claims));
    expect(await client.call('connect')).toEqual({ result: null });
    return client;
  };

  const channelOf = (namespace: string, encoding: Encoding): string => `${namespace}:${encoding}-${String(opened)}`;

  it.each(ENCODINGS)('publishes, and reads what is in a channel (%s)', async (encoding) => {
    const channel = channelOf('chat', encoding);
    const [writer, reader] = [await connect(encoding, 'writer'), await connect(encoding, 'reader')];
    for (const client of [writer, reader]) await client.call('subscribe', { channel });
    for (const n of [1, 2, 3]) expect(await writer.call('publish', { channel, data: { n } })).toEqual({ result: null });
    await eventually(async () => expect(await reader.publications(channel)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]));
    const [first] = await reader.events('publication', channel);
    expect(first?.publication).toEqual({ data: { n: 1 }, offset: 1, tags: {}, user: 'writer' });

    const newest = await reader.call('history', { channel, limit: 2, reverse: true });
    expect(newest.result).toMatchObject({ publications: [{ offset: 3 }, { offset: 2 }], offset: 3 });
    const { epoch } = newest.result as { epoch: string };
    const since = await reader.call('history', { channel, limit: 10, since: [1, epoch] });
    expect(since.result).toMatchObject({ publications: [{ data: { n: 2 } }, { data: { n: 3 } }] });
    await eventually(async () =>
      expect(await reader.call('presence', { channel })).toEqual({ result: ['reader', 'writer'] }),
    );
    const stats = await reader.call('presence_stats', { channel });
    expect(stats).toEqual({ result: { num_clients: 2, num_users: 2 } });
    expect((await reader.events('connected'))[0]?.version).toBe('6.9.1 OSS');
  });

  it.each(ENCODINGS)('sees others come and go (%s)', async (encoding) => {
    const channel = channelOf('chat', encoding);
    const [stays, visits] = [await connect(encoding, 'stays'), await connect(encoding, 'visits')];
    await stays.call('subscribe', { channel });
    await visits.call('subscribe', { channel });
    const users = async (event: string): Promise<unknown[]> =>
      (await stays.events(event, channel)).map(({ user }) => user).filter((user) => user !== 'stays');
    await eventually(async () => expect(await users('join')).toEqual(['visits']));
    await visits.call('unsubscribe', { channel });
    await eventually(async () => expect(await users('leave')).toEqual(['visits']));
  });

  it.each(ENCODINGS)('gets what it missed, once and in order (%s)', async (encoding) => {
    const channel = channelOf('chat', encoding);
    const client = await connect(encoding, 'away');
    await client.call('subscribe', { channel });
    await server.api('publish', { channel, data: 1 });
    await eventually(async () => expect(await client.publications(channel)).toEqual([1]));
    await client.call('disconnect');
    for (const data of [2, 3]) await server.api('publish', { channel, data });
    await client.call('connect');
    await eventually(async () => expect(await client.publications(channel)).toEqual([1, 2, 3]));
    const subscribed = await client.events('subscribed', channel);
    expect(subscribed.map(({ recovered }) => recovered)).toEqual([false, true]);
    await server.api('publish', { channel, data: 4 });
    await eventually(async () => expect(await client.publications(channel)).toEqual([1, 2, 3, 4]));
  });

  it.each(ENCODINGS)('rebuilds publications from deltas (%s)', async (encoding) => {
    const channel = channelOf('delta', encoding);
    const client = await connect(encoding, 'delta');
    await client.call('subscribe', { channel, delta: true });
    const padding = 'a text that is the same each time, so that a delta is the shorter one. '.repeat(4);
    const texts = [1, 2, 2, 3].map((n) => ({ n, padding, ü: '€' }));
    for (const data of texts) await server.api('publish', { channel, data });
    await eventually(async () => expect(await client.publications(channel)).toEqual(texts));
    const deltas = (await client.events('publication', channel)).map(({ delta }) => delta);
    expect(deltas).toEqual([false, true, true, true]);
  });

  it.each(ENCODINGS)('gets publications with the tags that it wants only (%s)', async (encoding) => {
    const channel = channelOf('tagged', encoding);
    const client = await connect(encoding, 'picky');
    await client.call('subscribe', { channel, tag: ['colour', 'red'] });
    for (const colour of ['red', 'blue', 'red']) await server.api('publish', { channel, data: {}, tags: { colour } });
    await eventually(async () => {
      const got = (await client.events('publication', channel)).map(({ publication }) => publication);
      expect(got).toMatchObject([
        { offset: 1, tags: { colour: 'red' } },
        { offset: 3, tags: { colour: 'red' } },
      ]);
    });
  });

  it.each(ENCODINGS)(
    'starts after the state of its application, and asks anew when that is old (%s)',
    async (encoding) => {
      const channel = channelOf('small', encoding);
      for (const data of ['a', 'b']) await server.api('publish', { channel, data });
      const { body } = await server.api('history', { channel });
      const client = await connect(encoding, 'stateful');
      const states = [
        [0, ''],
        [8, body.result?.['epoch']],
      ];
      await client.call('subscribe', { channel, states });
      await eventually(async () => expect(await client.publications(channel)).toEqual(['a', 'b']));
      await client.call('disconnect');
      for (const data of [3, 4, 5, 6, 7, 8]) await server.api('publish', { channel, data });
      await client.call('connect');
      await eventually(async () => expect(await client.events('subscribed', channel)).toHaveLength(2));
      expect(await client.events('asked for the state')).toHaveLength(2);
      await server.api('publish', { channel, data: 'live' });
      await eventually(async () => expect(await client.publications(channel)).toEqual(['a', 'b', 'live']));
    },
  );

  it.each(ENCODINGS)('has the channels of its token, until the server sends it away (%s)', async (encoding) => {
    const [user, channel] = [`owner-${encoding}`, `owned-${encoding}`];
    const client = await connect(encoding, user, { channels: [channel] });
    const publications = async (): Promise<unknown[]> =>
      (await client.events('publication')).map(({ publication }) => publication?.data);
    await server.api('publish', { channel, data: 'hello' });
    await eventually(async () => expect(await publications()).toEqual(['hello']));
    await server.api('disconnect', { user, disconnect: { code: 4_001, reason: 'come back' } });
    await eventually(async () => expect(await client.events('connected')).toHaveLength(2));
    await server.api('publish', { channel, data: 'again' });
    await eventually(async () => expect(await publications()).toEqual(['hello', 'again']));
    await server.api('disconnect', { user, disconnect: { code: 4_501, reason: 'stay away' } });
    await eventually(async () => expect(await client.events('disconnected')).toMatchObject([{ code: 4_501 }]));
  });

  it.each(ENCODINGS)('asks for another token when its own has expired (%s)', async (encoding) => {
    const client = await open(encoding, server.token('late', { exp: secondsFromNow(-60) }), server.token('late'));
    await client.call('connect');
    await eventually(async () => expect(await client.events('connected')).toHaveLength(1));
    expect(await client.events('asked for a token')).toHaveLength(1);
  });

  it.each(ENCODINGS)('is told what it may not do (%s)', async (encoding) => {
    const client = await connect(encoding, 'curious');
    const denied = { error: { code: 103, message: 'permission denied' } };
    expect(await client.call('publish', { channel: 'plain', data: 1 })).toEqual(denied);
    expect((await client.call('presence', { channel: 'plain' })).error?.code).toBe(108);
    expect((await client.call('history', { channel: 'nowhere:x' })).error?.code).toBe(102);
    expect((await client.call('rpc', { method: 'none', data: {} })).error?.code).toBe(108);
    await client.call('subscribe', { channel: 'nowhere:x', ready: false });
    await eventually(async () =>
      expect(await client.events('unsubscribed', 'nowhere:x')).toMatchObject([{ code: 102 }]),
    );
  });
});
