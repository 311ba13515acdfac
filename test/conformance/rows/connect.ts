import { expect } from 'vitest';

import { eventually } from '../../harness/eventually.ts';
import { secondsFromNow } from '../../harness/token.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { ConnectOptions, Trial } from '../trial.ts';

const BAD_REQUEST = { code: 3501, reason: 'bad request' };

/** Connects and expects an error reply on a connection that stays open. */
const failsWith =
  (code: number, text: string, options: (t: Trial) => ConnectOptions) =>
  async (t: Trial): Promise<void> => {
    const client = await t.open();
    expect(await client.connect(t.connectRequest(options(t)))).toEqual({ id: 1, error: { code, message: text } });
    expect(client.socket.end).toBeUndefined();
  };

/** Connects and expects to be closed instead of an answer. */
const closesWith =
  (code: number, options: (t: Trial) => ConnectOptions) =>
  async (t: Trial): Promise<void> => {
    const client = await t.open();
    client.socket.send(JSON.stringify({ id: 1, connect: t.connectRequest(options(t)) }));
    expect(await client.closed()).toMatchObject({ code });
    expect(client.socket.frames).toEqual([]);
  };

/** A connected client sends the text and is closed with the code. */
const sendingCloses =
  (text: string, code = 3501) =>
  async (t: Trial): Promise<void> => {
    const client = await t.connect();
    client.socket.send(text);
    expect(await client.closed()).toMatchObject({ code });
  };

export const connecting: readonly Scenario[] = [
  row('client 54', 'a first command that is not connect closes with 3501', async (t) => {
    const client = await t.open();
    client.socket.send(`{"id":1,"subscribe":{"channel":"${t.channel()}"}}`);
    expect(await client.closed()).toEqual(BAD_REQUEST);
  }),
  row('client 55', 'connect with id 0 closes with 3501', async (t) => {
    const client = await t.open();
    client.socket.send(JSON.stringify({ id: 0, connect: t.connectRequest() }));
    expect(await client.closed()).toEqual(BAD_REQUEST);
  }),
  row('client 56', 'a second connect closes with 3501', sendingCloses('{"id":2,"connect":{}}')),
  rowFor('timers', 'client 57', 'no connect within the stale delay closes with 3502', async (t) => {
    const socket = await t.socket();
    expect(await socket.closed()).toEqual({ code: 3502, reason: 'stale' });
  }),
  row(
    'client 58',
    'an expired token gets error 109',
    failsWith(109, 'token expired', () => ({ claims: { exp: 1 } })),
  ),
  rowFor('timers', 'client 59', 'commands after a failed connect are ignored and the socket is dropped', async (t) => {
    const client = await t.open();
    await client.connect(t.connectRequest({ claims: { exp: 1 } }));
    client.socket.send('{"id":2,"subscribe":{"channel":"x"}}');
    const { code } = await client.closed(9_000);
    expect([1006, 3502]).toContain(code);
    expect(client.socket.frames).toHaveLength(1);
  }),
  row('client 61', 'commands behind a failed connect in its frame are not processed', async (t) => {
    const client = await t.open();
    const commands = [
      { id: 1, connect: t.connectRequest({ claims: { exp: 1 } }) },
      { id: 2, subscribe: { channel: 'x' } },
    ];
    const reply = client.reply(1);
    client.socket.send(commands.map((command) => JSON.stringify(command)).join('\n'));
    expect(await reply).toMatchObject({ error: { code: 109 } });
    await expect(client.reply(2, 300)).rejects.toThrow();
    expect(client.socket.frames).toHaveLength(1);
  }),
  row(
    'client 62',
    'a token with a bad signature closes with 3500',
    closesWith(3500, (t) => ({ token: t.token({}, { secret: 'wrong' }) })),
  ),
  row(
    'client 63',
    'no token where it is needed closes with 3501',
    closesWith(3501, () => ({ user: '' })),
  ),
  row(
    'client 64',
    'a connection token with a channel closes with 3500',
    closesWith(3500, () => ({ claims: { channel: 'x' } })),
  ),
  row(
    'client 65',
    'a token that is not yet valid gets error 109',
    failsWith(109, 'token expired', () => ({ claims: { nbf: secondsFromNow(600) } })),
  ),
  row(
    'client 66',
    'an expiry in the past gets error 110',
    failsWith(110, 'expired', () => ({ claims: { expire_at: secondsFromNow(-60) } })),
  ),
  row('client 67', 'a token with an expiry tells expires and ttl', async (t) => {
    const { connected } = await t.connect({ claims: { exp: secondsFromNow(100) } });
    expect(connected.expires).toBe(true);
    expect(connected.ttl).toBeGreaterThan(90);
    expect(connected.ttl).toBeLessThanOrEqual(100);
  }),
  rowFor('proxies', 'proxy 37', 'bad base64 of the backend is told before channels in no namespace', async (t) => {
    const asked = async (data: string) => (await t.open()).connect({ data });
    expect(await asked('malformed')).toMatchObject({ error: { code: 100, temporary: true } });
    expect(await asked('nowhere')).toEqual({ id: 1, error: { code: 102, message: 'unknown channel' } });
  }),
  rowFor('proxies', 'client 68', 'with a refresh proxy the client is not told of its expiry', async (t) => {
    const { connected } = await t.connect();
    expect(connected).not.toHaveProperty('expires');
    expect(connected).not.toHaveProperty('ttl');
  }),
  row('client 69', 'connect gives an id, the version and the ping interval', async (t) => {
    const { connected } = await t.connect({ token: t.token({ exp: undefined }) });
    expect(connected).toEqual({
      client: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      version: '6.9.1 OSS',
      ping: 25,
      pong: true,
    });
  }),
  rowFor('timers', 'client 69b', 'connect_include_server_time adds the time', async (t) => {
    const { connected } = await t.connect();
    expect(Math.abs(connected.time - Date.now())).toBeLessThan(60_000);
    expect(connected.ping).toBe(1);
  }),
  rowFor('timers', 'client 71', 'pings that are answered keep the connection', async (t) => {
    const client = await t.connect();
    await eventually(() => expect(client.pings).toBeGreaterThanOrEqual(2), 5_000);
    expect(await client.subscribe(t.channel())).toMatchObject({ subscribe: {} });
    // A ping and a reply may share a frame.
    const lines = client.socket.frames.flatMap((frame) => frame.toString().split('\n'));
    expect(lines).toHaveLength(client.pings + 2);
  }),
  rowFor('timers', 'client 72', 'the first ping comes between half an interval and a whole one', async (t) => {
    const startedAt = performance.now();
    const client = await t.connect();
    await eventually(() => expect(client.pings).toBe(1), 15_000);
    // No later than the interval is what a fake clock proves: here the machine may be late.
    expect(performance.now() - startedAt).toBeGreaterThan(400);
  }),
  rowFor('timers', 'client 73', 'a ping without a pong closes with 3012', async (t) => {
    const client = await t.connect();
    client.isAlive = false;
    expect(await client.closed()).toEqual({ code: 3012, reason: 'no pong' });
  }),
  row('client 74', 'a pong without a ping closes with 3501', sendingCloses('{}')),
  rowFor('timers', 'client 75', 'two pongs for one ping close with 3501', async (t) => {
    const client = await t.connect();
    client.isAlive = false;
    await eventually(() => expect(client.pings).toBe(1), 15_000);
    client.socket.send('{}');
    client.socket.send('{}');
    expect(await client.closed()).toEqual(BAD_REQUEST);
  }),
  rowFor('timers', 'client 76', 'a command with id 0 counts as a pong and is not executed', async (t) => {
    const client = await t.connect();
    client.isAlive = false;
    await eventually(() => expect(client.pings).toBe(1), 15_000);
    client.socket.send(`{"id":0,"subscribe":{"channel":"${t.channel()}"}}`);
    client.isAlive = true;
    await eventually(() => expect(client.pings).toBeGreaterThanOrEqual(2), 3_000);
    expect(await client.subscribe(t.channel())).toEqual({ id: 2, subscribe: {} });
  }),
  row('client 77', 'a command without a request closes with 3501', sendingCloses('{"id":5}')),
  row('client 78', 'a command with only ping closes with 3501', sendingCloses('{"id":5,"ping":{}}')),
  row('client 78b', 'ping beside another request gets error 108', async (t) => {
    const client = await t.connect();
    expect(await client.call({ ping: {}, rpc: {} })).toEqual({ id: 2, error: { code: 108, message: 'not available' } });
  }),
  row('client 79', 'of several requests in one command the first in order is executed', async (t) => {
    const client = await t.connect();
    expect(await client.call({ rpc: { method: 'x' }, publish: { channel: t.channel(), data: 1 } })).toEqual({
      id: 2,
      publish: {},
    });
  }),
  row('client 80', 'unknown fields are ignored', async (t) => {
    const client = await t.connect({ request: { profile: 1, dict: 'x', other: [{}] } });
    expect(await client.call({ subscribe: { channel: t.channel(), nope: { a: 1 } }, flavour: 'none' })).toEqual({
      id: 2,
      subscribe: {},
    });
  }),
  row('client 81', 'send closes with 3508', sendingCloses('{"send":{"data":{}}}', 3508)),
  row('client 82', 'rpc without a backend gets error 108', async (t) => {
    const client = await t.connect();
    expect(await client.call({ rpc: { method: 'x', data: {} } })).toEqual({
      id: 2,
      error: { code: 108, message: 'not available' },
    });
  }),
  rowFor('proxies', 'client 83', 'rpc of an unknown method gets error 104', async (t) => {
    const client = await t.connect();
    expect(await client.call({ rpc: { method: 'nobody:x', data: {} } })).toEqual({
      id: 2,
      error: { code: 104, message: 'method not found' },
    });
    expect(await client.call({ rpc: { method: 'x' } })).toMatchObject({ error: { code: 108 } });
  }),
  rowFor('anonymous', 'client 83b', 'the built-in rpc ping is answered', async (t) => {
    const client = await t.connect();
    expect(await client.call({ rpc: { method: 'ping' } })).toMatchObject({ id: 2, rpc: {} });
    expect(await client.call({ rpc: { method: 'other' } })).toEqual({
      id: 3,
      error: { code: 104, message: 'method not found' },
    });
  }),
  row('client 84', 'unsubscribe from a channel without subscription succeeds', async (t) => {
    const client = await t.connect();
    expect(await client.call({ unsubscribe: { channel: t.channel() } })).toEqual({ id: 2, unsubscribe: {} });
  }),
  ...['subscribe', 'unsubscribe', 'publish', 'presence', 'presence_stats', 'history', 'sub_refresh'].map((command) =>
    row(
      `client 85 ${command}`,
      `${command} with an empty channel closes with 3501`,
      sendingCloses(`{"id":2,"${command}":{"data":{}}}`),
    ),
  ),
  row('client 86', 'unsubscribe right behind subscribe leaves no subscription', async (t) => {
    const client = await t.connect();
    const channel = t.channel();
    const replies = Promise.all([client.reply(5), client.reply(6)]);
    client.socket.send(
      `{"id":5,"subscribe":{"channel":"${channel}"}}\n{"id":6,"unsubscribe":{"channel":"${channel}"}}`,
    );
    expect(await replies).toEqual([
      { id: 5, subscribe: {} },
      { id: 6, unsubscribe: {} },
    ]);
    await t.publish(channel, 1);
    expect(await client.subscribe(channel)).toMatchObject({ subscribe: {} });
    expect(client.pushes).toEqual([]);
  }),
  row('client 87', 'only temporary errors are marked so', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel('closed'))).toEqual({
      id: 2,
      error: { code: 103, message: 'permission denied' },
    });
  }),
  rowFor('proxies', 'client 87b', 'error 100 is marked as temporary', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel('px', 'broken'))).toEqual({
      id: 2,
      error: { code: 100, message: 'internal server error', temporary: true },
    });
  }),
  rowFor('proxies', 'client 88', 'commands of a connection are answered in order, one after the other', async (t) => {
    const client = await t.connect();
    const order: number[] = [];
    const replies = [5, 6, 7].map((id) => client.reply(id).then(() => order.push(id)));
    const channels = [t.channel('px'), t.channel('', 'one'), t.channel('', 'two')];
    client.socket.send(
      channels.map((channel, at) => JSON.stringify({ id: 5 + at, subscribe: { channel } })).join('\n'),
    );
    await Promise.all(replies);
    expect(order).toEqual([5, 6, 7]);
  }),
  row('client 89', 'a client that does not read is closed with 3008', async (t) => {
    const client = await t.connect();
    const channel = t.channel();
    await client.subscribe(channel);
    client.socket.pause();
    const data = 'x'.repeat(60_000);
    // Read on as soon as it is given up: a server does not wait long for a client to take what came before the close frame.
    for (let round = 0; round < 60; round += 1) {
      await t.result('broadcast', { channels: Array.from({ length: 20 }, () => channel), data });
      const { channels } = await t.result('channels', { pattern: channel });
      if (channels[channel] === undefined) break;
    }
    client.socket.resume();
    expect(await client.closed(15_000)).toEqual({ code: 3008, reason: 'slow' });
  }),
  row('client 90', 'quick publications come in frames of at most 16 messages, in order', async (t) => {
    const client = await t.connect();
    const channel = t.channel('big');
    await client.subscribe(channel);
    const publisher = await t.connect({ gateway: 1 });
    const ids = Array.from({ length: 100 }, (_value, n) => n + 10);
    const done = Promise.all(ids.map((id) => publisher.reply(id)));
    publisher.socket.send(ids.map((id) => JSON.stringify({ id, publish: { channel, data: id } })).join('\n'));
    await done;
    const received: number[] = [];
    while (received.length < 100) received.push((await client.publication()).data);
    expect(received).toEqual(ids);
    for (const text of client.socket.frames) expect(String(text).split('\n').length).toBeLessThanOrEqual(16);
  }),
  row('client 91', 'bytes that are no JSON close JSON subscribers with 3506', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    await t.result('publish', { channel: t.channel(), b64data: Buffer.from([0xff, 0x01]).toString('base64') });
    expect(await client.closed()).toEqual({ code: 3506, reason: 'inappropriate protocol' });
  }),
  row('client 92', 'newlines inside a payload do not reach JSON clients', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    const answer = await t.apiHttp('/api/publish', {
      headers: { 'X-API-Key': 'k' },
      body: `{"channel":"${t.channel()}","data":{\n"a":\n1}}`,
    });
    expect(answer.status).toBe(200);
    expect((await client.publication()).data).toEqual({ a: 1 });
    expect(client.socket.frames.at(-1)).not.toContain('\n');
  }),
];
