import { expect } from 'vitest';

import { eventually } from '../../harness/eventually.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { Trial } from '../trial.ts';

const DENIED = { code: 103, message: 'permission denied' };
const BAD = { code: 107, message: 'bad request' };

async function expectSubscribe(
  t: Trial,
  channel: string,
  expected: Record<string, unknown>,
  user = t.user,
): Promise<void> {
  const client = await t.connect({ user });
  expect(await client.subscribe(channel), `${user} in ${channel}`).toMatchObject(expected);
}

const OK = { subscribe: {} };

export const names: readonly Scenario[] = [
  row('channels 2', 'the length counts bytes', (t) => expectSubscribe(t, `any:${'ä'.repeat(126)}`, { error: BAD })),
  row('channels 5', 'a space is an ordinary character', (t) => expectSubscribe(t, `a b ${t.id}`, OK)),
  row('channels 6', 'channel_regex is asked on every command', async (t) => {
    const client = await t.connect();
    const commands = (channel: string): Record<string, unknown>[] => [
      { subscribe: { channel } },
      { publish: { channel, data: 1 } },
      { history: { channel } },
    ];
    for (const command of commands('digits:a1')) expect(await client.call(command)).toMatchObject({ error: BAD });
    for (const command of commands('digits:12')) expect(await client.call(command)).not.toHaveProperty('error');
  }),
  row('channels 7', 'a regex without anchors matches a part', async (t) => {
    await expectSubscribe(t, 'loose:xxabxx', OK);
    await expectSubscribe(t, 'loose:xxaxx', { error: BAD });
  }),
  row('channels 7b', 'a regex may admit what is not ASCII', (t) => expectSubscribe(t, 'any:naïve☃', OK)),
  row('channels 8', 'an unknown namespace gets 102', async (t) => {
    const client = await t.connect();
    expect(await client.call({ publish: { channel: 'nope:x', data: 1 } })).toMatchObject({ error: { code: 102 } });
    expect(await t.errorCode('publish', { channel: 'nope:x', data: 1 })).toBe(102);
  }),
  row('channels 9', 'the first boundary ends the namespace', async (t) => {
    await expectSubscribe(t, 'any:b:c', OK);
    await expectSubscribe(t, 'digits:1:2', { error: BAD });
  }),
  row('channels 10', 'a private channel has the options of its namespace', async (t) => {
    const client = await t.connect();
    const channel = `$prs:${t.id}`;
    await client.subscribe(channel, { token: t.subToken(channel) });
    expect(await client.call({ presence: { channel } })).toMatchObject({ presence: { presence: { [client.id]: {} } } });
  }),
  row('channels 13', 'namespaces inherit nothing', (t) => expectSubscribe(t, t.channel('closed'), { error: DENIED })),
  row('channels 13b', 'a namespace name may hold dots and dashes', (t) =>
    expectSubscribe(t, t.channel('dotted.name-1'), OK),
  ),
  row('channels 15', 'anonymous clients need more than allow_subscribe_for_client', async (t) => {
    await expectSubscribe(t, t.channel(), OK);
    const anonymous = await t.connect({ claims: { sub: '' } });
    expect(await anonymous.subscribe(t.channel())).toMatchObject({ error: DENIED });
  }),
  row('channels 22', 'user-limited channels admit the users of their list', async (t) => {
    await expectSubscribe(t, 'ul:d#1,2', OK, '1');
    await expectSubscribe(t, 'ul:d#1,2', OK, '2');
    await expectSubscribe(t, 'ul:d#1,2', { error: DENIED }, '3');
    await expectSubscribe(t, 'ul:d#1,2 ', { error: DENIED }, '2');
  }),
  row('channels 23', 'without the option # is an ordinary character', (t) => expectSubscribe(t, 'd#3', OK, '1')),
  row('channels 24', 'the list is what stands after the last #', async (t) => {
    await expectSubscribe(t, 'ul:a#x#1', OK, '1');
    await expectSubscribe(t, 'ul:a#x#1', { error: DENIED }, 'x');
  }),
  row('channels 25', 'a channel of the namespace without a list follows the flags', (t) =>
    expectSubscribe(t, t.channel('ul'), OK),
  ),
  row('channels 121', 'a name that starts with the boundary has no namespace', async (t) => {
    await expectSubscribe(t, `:${t.id}`, OK);
    expect(await t.publish(`:${t.id}`, 1)).toEqual({});
  }),
  row('channels 123', 'the order in a list makes another channel', async (t) => {
    const client = await t.connect({ user: '1' });
    await client.subscribe(`ul:${t.id}#1,2`);
    await t.publish(`ul:${t.id}#2,1`, 'other');
    await t.publish(`ul:${t.id}#1,2`, 'this');
    expect((await client.publication()).data).toBe('this');
  }),
];

export const permissions: readonly Scenario[] = [
  row('channels 30', 'stream subscription of a map namespace gets 103', (t) =>
    expectSubscribe(t, t.channel('map'), { error: DENIED }),
  ),
  row('channels 34', 'allow_publish_for_subscriber', async (t) => {
    const client = await t.connect();
    const publish = { publish: { channel: t.channel('psub'), data: 1 } };
    expect(await client.call(publish)).toMatchObject({ error: DENIED });
    await client.subscribe(t.channel('psub'));
    expect(await client.call(publish)).toMatchObject({ publish: {} });
    await client.call({ unsubscribe: { channel: t.channel('psub') } });
    expect(await client.call(publish)).toMatchObject({ error: DENIED });
  }),
  row('channels 37', 'presence that is on but not permitted gets 103', async (t) => {
    const client = await t.connect();
    expect(await client.call({ presence: { channel: t.channel('pclosed') } })).toMatchObject({ error: DENIED });
    expect(await client.call({ presence_stats: { channel: t.channel('pclosed') } })).toMatchObject({ error: DENIED });
  }),
  row('channels 38', 'history that is on but not permitted gets 103', async (t) => {
    const client = await t.connect();
    expect(await client.call({ history: { channel: t.channel('hclosed') } })).toMatchObject({ error: DENIED });
  }),
  row('channels 39', 'for_subscriber permits while subscribed', async (t) => {
    const client = await t.connect();
    const channel = t.channel('psub');
    const commands = [{ history: { channel } }, { presence: { channel } }, { presence_stats: { channel } }];
    for (const command of commands) expect(await client.call(command)).toMatchObject({ error: DENIED });
    await client.subscribe(channel);
    for (const command of commands) expect(await client.call(command)).not.toHaveProperty('error');
  }),
  row('channels 40', 'formats bind clients too', async (t) => {
    const client = await t.connect();
    expect(await client.call({ publish: { channel: t.channel('obj'), data: [1] } })).toMatchObject({ error: BAD });
    expect(await client.call({ publish: { channel: t.channel('obj'), data: {} } })).toMatchObject({ publish: {} });
  }),
  row('channels 41', 'binary accepts empty data of a client', async (t) => {
    const client = await t.connect();
    expect(await client.call({ publish: { channel: t.channel('bin') } })).toMatchObject({ publish: {} });
  }),
  row('channels 48', 'a join is not in history and has no offset', async (t) => {
    const client = await t.connect();
    const channel = t.channel('jlh');
    await client.subscribe(channel);
    const push = await client.push();
    expect(Object.keys(push)).toEqual(['channel', 'join']);
    expect(await t.result('history', { channel, limit: -1 })).toMatchObject({ publications: [], offset: 0 });
  }),
  row('channels 76', 'who leaves does not get its leave', async (t) => {
    const client = await t.connect();
    const channel = t.channel('jlh');
    await client.subscribe(channel);
    await client.push();
    await client.call({ unsubscribe: { channel } });
    await client.subscribe(t.channel('', 'other'));
    await t.publish(t.channel('', 'other'), 1);
    expect(await client.push()).toMatchObject({ channel: t.channel('', 'other') });
  }),
  row('channels 77', 'without presence access join and leave are not granted', async (t) => {
    const client = await t.connect();
    const channel = t.channel('jlx');
    await client.subscribe(channel, { join_leave: true });
    await t.publish(channel, 'first');
    expect(await client.push()).toEqual({ channel, pub: { data: 'first' } });
  }),
  row('channels 42', 'offsets start at 1 and have no gap', async (t) => {
    const results = [];
    for (let n = 0; n < 5; n += 1) results.push((await t.publish(t.channel('hist'), n)).offset);
    expect(results).toEqual([1, 2, 3, 4, 5]);
  }),
  row('channels 42b', 'publications at the same time get an offset each', async (t) => {
    const all = await Promise.all(Array.from({ length: 20 }, (_value, n) => t.publish(t.channel('big'), n)));
    expect(all.map(({ offset }) => offset).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_value, n) => n + 1),
    );
    expect(new Set(all.map(({ epoch }) => epoch)).size).toBe(1);
  }),
  row('channels 44', 'history holds the newest publications', async (t) => {
    await t.publishAll(t.channel('small'), [1, 2, 3, 4, 5]);
    const { publications } = await t.result('history', { channel: t.channel('small'), limit: -1 });
    expect(publications.map(({ data, offset }: { data: number; offset: number }) => [data, offset])).toEqual([
      [3, 3],
      [4, 4],
      [5, 5],
    ]);
  }),
  row('channels 53', 'since before the oldest gives what is left', async (t) => {
    await t.publishAll(t.channel('small'), [1, 2, 3, 4, 5]);
    const { publications } = await t.result('history', {
      channel: t.channel('small'),
      limit: -1,
      since: { offset: 1 },
    });
    expect(publications).toHaveLength(3);
  }),
];

export const proxied: readonly Scenario[] = [
  rowFor('proxies', 'channels 26', 'the subscribe proxy decides, not the flags', async (t) => {
    await expectSubscribe(t, t.channel('px', 'deny'), { error: DENIED });
    const client = await t.connect();
    expect(await client.subscribe(t.channel('px'))).toEqual({ id: 2, subscribe: { data: { hello: t.channel('px') } } });
    const { presence } = (await client.call({ presence: { channel: t.channel('px') } })).presence;
    expect(presence[client.id].chan_info).toEqual({ from: 'backend' });
  }),
  rowFor('proxies', 'channels 26b', 'a custom error and a disconnect of the proxy reach the client', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel('px', 'custom'))).toEqual({
      id: 2,
      error: { code: 1234, message: 'not you', temporary: true },
    });
    client.socket.send(JSON.stringify({ id: 3, subscribe: { channel: t.channel('px', 'bye') } }));
    expect(await client.closed()).toEqual({ code: 4501, reason: 'bye' });
  }),
  rowFor('proxies', 'channels 26c', 'a proxy that is broken, silent or writes garbage refuses with 100', async (t) => {
    const client = await t.connect();
    for (const name of ['broken', 'garbage', 'silent']) {
      expect(await client.subscribe(t.channel('px', name)), name).toMatchObject({
        error: { code: 100, temporary: true },
      });
    }
    expect(await client.subscribe(t.channel())).toMatchObject(OK);
  }),
  rowFor('proxies', 'channels 27', 'a token makes the proxy needless', async (t) => {
    const client = await t.connect();
    const channel = t.channel('px', 'deny');
    expect(await client.subscribe(channel, { token: t.subToken(channel) })).toMatchObject(OK);
    expect(t.backend?.callsOf('/subscribe', { channel })).toEqual([]);
  }),
  rowFor('proxies', 'channels 27b', 'a user-limited channel makes the proxy needless', async (t) => {
    const client = await t.connect();
    const channel = `${t.channel('px')}#${t.user}`;
    expect(await client.subscribe(channel)).toEqual({ id: 2, subscribe: {} });
    expect(t.backend?.callsOf('/subscribe', { channel })).toEqual([]);
  }),
  rowFor('proxies', 'channels 27c', 'the proxy is asked with client, user, channel and transport', async (t) => {
    const client = await t.connect();
    const channel = t.channel('px');
    await client.subscribe(channel, { data: { wish: 1 } });
    const [call] = t.backend?.callsOf('/subscribe', { channel }) ?? [];
    expect(call?.body).toEqual({
      client: client.id,
      transport: 'websocket',
      protocol: 'json',
      encoding: 'json',
      user: t.user,
      channel,
      data: { wish: 1 },
    });
    expect(call?.headers['content-type']).toBe('application/json');
  }),
  rowFor('proxies', 'channels 36', 'the publish proxy decides, not the flags', async (t) => {
    const client = await t.connect();
    expect(await client.call({ publish: { channel: t.channel('pp', 'deny'), data: 1 } })).toEqual({
      id: 2,
      error: DENIED,
    });
    const channel = t.channel('pp', 'rewrite');
    await client.subscribe(channel);
    expect(await client.call({ publish: { channel, data: 1 } })).toMatchObject({ publish: {} });
    expect(await client.publication()).toMatchObject({ data: { rewritten: 1 }, info: { client: client.id } });
  }),
  rowFor('proxies', 'proxy connect', 'the connect proxy names the user of who has no token', async (t) => {
    const client = await t.open();
    const { connect } = await client.connect({ data: t.user });
    expect(connect).toMatchObject({ data: { welcome: true } });
    client.connected = connect;
    await client.subscribe(t.channel());
    await client.call({ publish: { channel: t.channel(), data: 1 } });
    expect((await client.publication()).info.user).toBe(t.user);
  }),
  rowFor('proxies', 'proxy connect refusals', 'refusals of the connect proxy', async (t) => {
    const reply = async (data: string) => (await t.open()).connect({ data });
    expect(await reply('custom')).toEqual({ id: 1, error: { code: 1234, message: 'not you', temporary: true } });
    expect(await reply('broken')).toMatchObject({ error: { code: 100, temporary: true } });
    const client = await t.open();
    client.socket.send('{"id":1,"connect":{"data":"bye"}}');
    expect(await client.closed()).toEqual({ code: 4501, reason: 'bye' });
    const nobody = await t.open();
    nobody.socket.send('{"id":1,"connect":{"data":"nobody"}}');
    expect(await nobody.closed()).toMatchObject({ code: 3501 });
  }),
  rowFor('proxies', 'proxy error', 'an error that names no code reaches the client without one', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel('px', 'codeless'))).toEqual({ id: 2, error: {} });
    expect(await client.call({ rpc: { method: 'rpcns:codeless' } })).toEqual({ id: 3, error: {} });
    expect(await (await t.open()).connect({ data: 'codeless' })).toEqual({ id: 1, error: {} });
  }),
  rowFor('proxies', 'proxy meta', 'the meta of the connection goes along', async (t) => {
    const client = await t.connect({ claims: { meta: { team: 1 } } });
    await client.call({ rpc: { method: 'rpcns:sum', data: t.id } });
    expect(t.backend?.callsOf('/rpc', { data: t.id })).toMatchObject([{ body: { meta: { team: 1 } } }]);
  }),
  rowFor('proxies', 'proxy rpc', 'rpc asks the backend', async (t) => {
    const client = await t.connect();
    expect(await client.call({ rpc: { method: 'rpcns:sum', data: [1, 2] } })).toEqual({
      id: 2,
      rpc: { data: { method: 'rpcns:sum', echo: [1, 2] } },
    });
    expect(await client.call({ rpc: { method: 'rpcns:custom' } })).toMatchObject({ error: { code: 1234 } });
    expect(await client.call({ rpc: { method: 'rpcns:broken' } })).toMatchObject({ error: { code: 100 } });
  }),
];

export const surface: readonly Scenario[] = [
  row('channels 102', 'health answers {} and init does too', async (t) => {
    expect(await t.http('/health')).toMatchObject({ status: 200, text: '{}' });
    expect(await t.http('/connection/init')).toMatchObject({ status: 200, text: '{}' });
    for (const path of ['/health', '/metrics', '/connection/init']) {
      expect(await t.http(path, { method: 'HEAD' }), path).toMatchObject({ status: 200, text: '' });
    }
    expect(await t.http('/health', { method: 'POST' })).toMatchObject({ status: 200, text: '{}' });
  }),
  row('channels 103', 'metrics are served, under their own names and those that dashboards know', async (t) => {
    await t.connect();
    await eventually(async () => {
      const { status, text } = await t.http('/metrics');
      expect(status).toBe(200);
      expect(text).toMatch(/^centrifugo_node_num_clients [1-9]/m);
      expect(text).toMatch(/^carillon_node_num_clients [1-9]/m);
    }, 15_000);
  }),
  row('channels 105', 'the admin API is for who has given the password', async (t) => {
    const post = (path: string, init: RequestInit) => t.apiHttp(`/admin/${path}`, init);
    const wrong = await post('auth', { body: new URLSearchParams({ password: 'wrong' }) });
    expect(wrong).toMatchObject({ status: 400, text: 'Bad Request\n' });
    const { text } = await post('auth', { body: new URLSearchParams({ password: 'open' }) });
    const headers = { Authorization: `token ${JSON.parse(text).token}` };
    const body = '{"method":"info","params":{}}';
    expect(await post('api', { body })).toMatchObject({ status: 401, text: '' });
    expect(await post('api', { body, headers })).toMatchObject({ status: 200 });
  }),
  row('channels 104', 'an unknown path gets 404', async (t) => {
    expect((await t.http('/nope')).status).toBe(404);
  }),
];
