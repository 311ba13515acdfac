import { expect } from 'vitest';

import { eventually } from '../../harness/eventually.ts';
import { secondsFromNow } from '../../harness/token.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';

export const clientsByApi: readonly Scenario[] = [
  row('api 55', 'subscribe pushes to the connections of the user', async (t) => {
    const clients = [await t.connect(), await t.connect({ gateway: 1 })];
    expect(await t.result('subscribe', { user: t.user, channel: t.channel() })).toEqual({});
    for (const client of clients) expect(await client.push()).toEqual({ channel: t.channel(), subscribe: {} });
    expect(await t.errorCode('subscribe', { user: t.user })).toBe(107);
    expect(await t.errorCode('subscribe', { user: t.user, channel: 'nope:x' })).toBe(102);
  }),
  row('api 56', 'subscribe of a user who is not there succeeds', async (t) => {
    expect(await t.result('subscribe', { user: 'nobody', channel: t.channel() })).toEqual({});
  }),
  row('api 57', 'an override keeps the subscriber out of presence', async (t) => {
    const client = await t.connect();
    const channel = t.channel('prs');
    await t.result('subscribe', { user: t.user, channel, override: { presence: { value: false } } });
    await client.push();
    expect(await t.result('presence', { channel })).toEqual({ presence: {} });
  }),
  row('api 57b', 'info and data of the call reach presence and client', async (t) => {
    const client = await t.connect();
    const channel = t.channel('prs');
    await t.result('subscribe', { user: t.user, channel, info: { role: 'x' }, data: { hi: 1 } });
    expect(await client.push()).toEqual({ channel, subscribe: { data: { hi: 1 } } });
    await eventually(async () =>
      expect((await t.result('presence', { channel })).presence).toEqual({
        [client.id]: { user: t.user, client: client.id, chan_info: { role: 'x' } },
      }),
    );
  }),
  row('api 55b', 'subscribe of a connection that has the channel pushes and joins again', async (t) => {
    const client = await t.connect({ gateway: 1 });
    const channel = t.channel('jlh');
    await client.subscribe(channel);
    expect(await client.push()).toMatchObject({ join: { info: { client: client.id } } });
    await t.result('subscribe', { user: t.user, channel, info: { role: 'x' }, data: { hi: 1 } });
    expect(await client.push()).toEqual({ channel, subscribe: { data: { hi: 1 } } });
    expect(await client.push()).toEqual({
      channel,
      join: { info: { user: t.user, client: client.id, chan_info: { role: 'x' } } },
    });
    await eventually(async () =>
      expect((await t.result('presence', { channel })).presence[client.id].chan_info).toEqual({ role: 'x' }),
    );
    await t.publish(channel, 'once');
    expect(await client.publication()).toMatchObject({ data: 'once', offset: 1 });
    expect(client.pushes).toEqual([]);
  }),
  row('api 55c', 'the push of a subscribe once more tells the position of that moment', async (t) => {
    const client = await t.connect();
    const channel = t.channel('small');
    await t.result('subscribe', { user: t.user, channel });
    const first = await client.push();
    expect(first).toMatchObject({ subscribe: { recoverable: true, positioned: true } });
    await t.publish(channel, 1);
    expect(await client.publication()).toMatchObject({ data: 1, offset: 1 });
    await t.result('subscribe', { user: t.user, channel });
    expect(await client.push()).toEqual({ channel, subscribe: { ...first.subscribe, offset: 1 } });
    await t.publish(channel, 2);
    expect(await client.publication()).toMatchObject({ data: 2, offset: 2 });
  }),
  row(
    'api 55d',
    'subscribe with a position brings what was missed since, in stream mode whatever the namespace has',
    async (t) => {
      const client = await t.connect({ gateway: 1 });
      for (const namespace of ['small', 'cache', 'auto']) {
        const channel = t.channel(namespace);
        await t.publishAll(channel, [1, 2, 3]);
        const { epoch } = await t.result('history', { channel });
        await t.result('subscribe', { user: t.user, channel, recover_since: { offset: 1, epoch } });
        const subscribe = { recoverable: true, positioned: true, epoch };
        expect(await client.push()).toEqual({ channel, subscribe: { ...subscribe, offset: 1 } });
        for (const n of [2, 3]) expect(await client.push()).toEqual({ channel, pub: { data: n, offset: n } });
        await client.call({ unsubscribe: { channel } });
        await t.result('subscribe', { user: t.user, channel, recover_since: { offset: 1, epoch: 'other' } });
        expect(await client.push()).toEqual({ channel, subscribe: { ...subscribe, offset: 3 } });
      }
    },
  ),
  row('api 59', 'client narrows to one connection', async (t) => {
    const first = await t.connect();
    const second = await t.connect({ gateway: 1 });
    await t.result('subscribe', { user: t.user, channel: t.channel(), client: second.id });
    expect(await second.push()).toMatchObject({ subscribe: {} });
    await t.result('refresh', { user: t.user, expire_at: secondsFromNow(100) });
    expect(await first.push()).toHaveProperty('refresh');
  }),
  row('api 60', 'bad base64 gets 107', async (t) => {
    expect(await t.errorCode('subscribe', { user: t.user, channel: t.channel(), b64info: '***' })).toBe(107);
    expect(await t.errorCode('subscribe', { user: t.user, channel: t.channel(), b64data: '***' })).toBe(107);
  }),
  row('api 61', 'unsubscribe ends publications', async (t) => {
    const client = await t.connect({ gateway: 1 });
    await client.subscribe(t.channel());
    await t.result('unsubscribe', { user: t.user, channel: t.channel() });
    expect(await client.push()).toEqual({
      channel: t.channel(),
      unsubscribe: { code: 2000, reason: 'server unsubscribe' },
    });
    await t.publish(t.channel(), 1);
    await client.subscribe(t.channel());
    await t.publish(t.channel(), 2);
    expect((await client.publication()).data).toBe(2);
  }),
  row('api 62', 'unsubscribe with an empty channel leaves subscriptions alone', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    expect(await t.result('unsubscribe', { user: t.user, channel: '' })).toEqual({});
    await t.publish(t.channel(), 1);
    await eventually(() => expect(client.pushes.some(({ pub }) => pub?.data === 1)).toBe(true));
  }),
  row('api 63', 'disconnect with a code and a reason', async (t) => {
    const client = await t.connect({ gateway: 1 });
    await t.result('disconnect', { user: t.user, disconnect: { code: 4501, reason: 'bye' } });
    expect(await client.closed()).toEqual({ code: 4501, reason: 'bye' });
  }),
  row('api 63b', 'disconnect with a code or reason that no close frame can carry gets 107', async (t) => {
    expect(await t.errorCode('disconnect', { user: t.user, disconnect: { code: 70_000, reason: 'x' } })).toBe(107);
    expect(await t.errorCode('disconnect', { user: t.user, disconnect: { code: 4000, reason: 'x'.repeat(124) } })).toBe(
      107,
    );
  }),
  row('api 64', 'a client on the whitelist survives a disconnect', async (t) => {
    const kept = await t.connect();
    const other = await t.connect({ gateway: 1 });
    await t.result('disconnect', { user: t.user, whitelist: [kept.id] });
    expect(await other.closed()).toMatchObject({ code: 3503 });
    expect(await kept.subscribe(t.channel())).toMatchObject({ subscribe: {} });
  }),
  row('api 66', 'refresh extends or ends a connection', async (t) => {
    const client = await t.connect();
    await t.result('refresh', { user: t.user, expire_at: secondsFromNow(200) });
    expect(await client.push()).toMatchObject({ refresh: { expires: true } });
    await t.result('refresh', { user: t.user, expire_at: 0 });
    expect(await client.push()).toEqual({ refresh: {} });
    await t.result('refresh', { user: t.user, expire_at: secondsFromNow(-100) });
    expect(await client.closed()).toEqual({ code: 3005, reason: 'connection expired' });
  }),
  row('api 67', 'presence that is off gets 108', async (t) => {
    expect(await t.errorCode('presence', { channel: t.channel() })).toBe(108);
    expect(await t.errorCode('presence_stats', { channel: t.channel() })).toBe(108);
    expect(await t.errorCode('presence', { channel: '' })).toBe(107);
    expect(await t.errorCode('presence', { channel: 'nope:x' })).toBe(102);
  }),
  row('api 68', 'a presence entry carries user, client and both infos', async (t) => {
    const client = await t.connect({ gateway: 1, claims: { info: { a: 1 } } });
    const channel = t.channel('prs');
    await client.subscribe(channel, { token: t.subToken(channel, { info: { b: 2 } }) });
    await eventually(async () =>
      expect((await t.result('presence', { channel })).presence).toEqual({
        [client.id]: { user: t.user, client: client.id, conn_info: { a: 1 }, chan_info: { b: 2 } },
      }),
    );
  }),
  row('api 69', 'presence stats', async (t) => {
    const channel = t.channel('prs');
    expect(await t.result('presence_stats', { channel })).toEqual({ num_clients: 0, num_users: 0 });
    for (const gateway of [0, 1]) await (await t.connect({ gateway })).subscribe(channel);
    await eventually(async () =>
      expect(await t.result('presence_stats', { channel })).toEqual({ num_clients: 2, num_users: 1 }),
    );
  }),
  row('api 70', 'history without options gives the position', async (t) => {
    await t.publish(t.channel('hist'), 1);
    const answer = await t.result('history', { channel: t.channel('hist') });
    expect(answer).toEqual({ publications: [], epoch: expect.stringMatching(/^.+$/), offset: 1 });
    expect(await t.result('history', { channel: t.channel('hist', 'never') })).toMatchObject({
      publications: [],
      offset: 0,
    });
  }),
  row('api 71', 'limits and direction of history', async (t) => {
    const channel = t.channel('hist');
    await t.publishAll(channel, [1, 2, 3, 4]);
    const offsets = async (request: Record<string, unknown>): Promise<number[]> =>
      (await t.result('history', { channel, ...request })).publications.map(({ offset }: { offset: number }) => offset);
    expect(await offsets({ limit: -1 })).toEqual([1, 2, 3, 4]);
    expect(await offsets({ limit: 2 })).toEqual([1, 2]);
    expect(await offsets({ limit: 2, reverse: true })).toEqual([4, 3]);
    expect(await offsets({ limit: -1, reverse: true, since: { offset: 5 } })).toEqual([4, 3, 2, 1]);
    expect(await offsets({ limit: -1, reverse: true, since: { offset: 6 } })).toEqual([]);
    expect(await offsets({ limit: -1, since: { offset: 9 } })).toEqual([]);
  }),
  row('api 72', 'history since a position', async (t) => {
    const channel = t.channel('hist');
    await t.publishAll(channel, [1, 2, 3]);
    const { epoch } = await t.result('history', { channel });
    expect((await t.result('history', { channel, limit: -1, since: { offset: 2, epoch } })).publications).toEqual([
      { data: 3, offset: 3 },
    ]);
  }),
  row('api 73', 'history since another epoch gets 112', async (t) => {
    const channel = t.channel('hist');
    await t.publish(channel, 1);
    expect(await t.errorCode('history', { channel, limit: 1, since: { offset: 0, epoch: 'x' } })).toBe(112);
    expect((await t.result('history', { channel, limit: 1, since: { offset: 0 } })).publications).toHaveLength(1);
  }),
  row('api 74', 'history in reverse since offset 0 gets 100', async (t) => {
    expect(
      await t.errorCode('history', { channel: t.channel('hist'), limit: 1, reverse: true, since: { offset: 0 } }),
    ).toBe(100);
  }),
  row('api 75', 'history_remove empties the history and keeps the position', async (t) => {
    expect(await t.errorCode('history', { channel: t.channel() })).toBe(108);
    expect(await t.errorCode('history_remove', { channel: t.channel() })).toBe(108);
    const channel = t.channel('hist');
    await t.publishAll(channel, [1, 2]);
    const { epoch } = await t.result('history', { channel });
    expect(await t.result('history_remove', { channel })).toEqual({});
    expect(await t.result('history', { channel, limit: -1 })).toEqual({ publications: [], epoch, offset: 2 });
    expect(await t.publish(channel, 3)).toEqual({ epoch, offset: 3 });
    expect((await t.result('history', { channel, limit: -1 })).publications).toEqual([{ data: 3, offset: 3 }]);
  }),
  row('api 76', 'history with bytes that are no JSON gets HTTP 500', async (t) => {
    const channel = t.channel('hist');
    await t.result('publish', { channel, b64data: Buffer.from([0xff, 0x00]).toString('base64') });
    const answer = await t.apiHttp('/api/history', {
      headers: { 'X-API-Key': 'k' },
      body: JSON.stringify({ channel, limit: 1 }),
    });
    expect([answer.status, answer.text]).toEqual([500, 'Internal Server Error\n']);
  }),
  row('api 77', 'info lists the nodes with their counters', async (t) => {
    await t.connect();
    const { nodes } = await t.result('info');
    expect(nodes.length).toBeGreaterThanOrEqual(t.server.gateways.length);
    for (const node of nodes) {
      expect(node).toMatchObject({
        uid: expect.any(String),
        name: expect.any(String),
        version: '6.9.1 OSS',
        num_clients: expect.any(Number),
        num_users: expect.any(Number),
        num_channels: expect.any(Number),
        num_subs: expect.any(Number),
      });
    }
  }),
  row('api 78', 'rpc', async (t) => {
    expect(await t.errorCode('rpc', { method: '' })).toBe(107);
    expect(await t.errorCode('rpc', { method: 'x', params: {} })).toBe(104);
  }),
  row('api 79', 'channels lists channels with subscribers of all gateways', async (t) => {
    const channel = t.channel('', 'news');
    const clients = [await t.connect(), await t.connect({ gateway: 1 })];
    for (const client of clients) await client.subscribe(channel);
    await clients[0]?.subscribe(t.channel('', 'other'));
    expect(await t.result('channels', { pattern: `news*${t.id}` })).toEqual({
      channels: { [channel]: { num_clients: 2 } },
    });
    expect((await t.result('channels')).channels).toMatchObject({
      [channel]: { num_clients: 2 },
      [t.channel('', 'other')]: { num_clients: 1 },
    });
    expect(await t.errorCode('channels', { pattern: '[' })).toBe(100);
  }),
  row('api 79b', 'maps of an answer are in the order of their keys', async (t) => {
    const client = await t.connect();
    const channels = ['b', 'a', '9', '10', 'B'].map((name) => `${name}x${t.id}`);
    for (const channel of channels) await client.subscribe(channel);
    const { text } = await t.apiHttp('/api/channels', {
      body: JSON.stringify({ pattern: `*x${t.id}` }),
      headers: { 'X-API-Key': 'k' },
    });
    const entry = (name: string): string => `"${name}x${t.id}":{"num_clients":1}`;
    expect(text).toBe(`{"result":{"channels":{${['10', '9', 'B', 'a', 'b'].map(entry).join(',')}}}}`);
  }),
  row('api 80', 'no channels is an empty map', async (t) => {
    expect(await t.result('channels', { pattern: `nothing${t.id}` })).toEqual({ channels: {} });
  }),
  row('api 81', 'a batch answers each command', async (t) => {
    const commands = [{ publish: { channel: t.channel(), data: 1 } }, { info: {} }, null, {}];
    const answer = await t.apiHttp('/api/batch', { headers: { 'X-API-Key': 'k' }, body: JSON.stringify({ commands }) });
    expect(answer.json).toEqual({
      replies: [
        { publish: {} },
        { info: { nodes: expect.any(Array) } },
        { error: { code: 107, message: 'bad request' } },
        { error: { code: 104, message: 'not found' } },
      ],
    });
  }),
  row('api 82', 'a parallel batch keeps the order of its replies', async (t) => {
    const commands = [1, 2, 3].map((n) => ({ publish: { channel: t.channel('hist', `${n}`), data: n } }));
    const headers = { 'X-API-Key': 'k' };
    const answer = await t.apiHttp('/api/batch', {
      headers,
      body: JSON.stringify({ parallel: true, commands: [...commands, { info: {} }] }),
    });
    expect(answer.json.replies.map((reply: object) => Object.keys(reply)[0])).toEqual([
      'publish',
      'publish',
      'publish',
      'info',
    ]);
    expect((await t.apiHttp('/api/batch', { headers, body: '{"commands":[]}' })).text).toBe('{}');
  }),
  row('api 83', 'of two requests in a command of a batch the first in order is run', async (t) => {
    const commands = [{ info: {}, publish: { channel: t.channel(), data: 1 } }];
    const answer = await t.apiHttp('/api/batch', { headers: { 'X-API-Key': 'k' }, body: JSON.stringify({ commands }) });
    expect(answer.json).toEqual({ replies: [{ publish: {} }] });
  }),
  row('api 84', 'map methods refuse stream namespaces', async (t) => {
    expect(await t.errorCode('map_publish', { channel: t.channel(), key: 'a', data: 1 })).toBe(107);
    expect(await t.errorCode('map_publish', { channel: t.channel('map'), data: 1 })).toBe(107);
    expect(await t.errorCode('map_publish', { channel: 'nope:x', key: 'a', data: 1 })).toBe(102);
  }),
  rowFor('personal', 'api 58', 'subscribe with an expiry in the past leaves no subscription', async (t) => {
    const client = await t.connect();
    const request = { user: t.user, channel: t.channel(), expire_at: secondsFromNow(-10) };
    expect(await t.errorCode('subscribe', request)).toBe(100);
    expect(await client.subscribe(t.channel())).toMatchObject({ subscribe: {} });
    expect(client.pushes).toEqual([]);
  }),
  rowFor('timers', 'api 65', 'without a user anonymous connections are meant', async (t) => {
    const anonymous = await t.connect({ token: t.token({ sub: '' }) });
    const named = await t.connect();
    await t.result('disconnect', {});
    expect(await anonymous.closed()).toMatchObject({ code: 3503 });
    expect(await named.subscribe(t.channel())).toMatchObject({ subscribe: {} });
  }),
];
