import { expect } from 'vitest';

import { row, rowFor, type Scenario } from '../scenario.ts';
import type { ConnectOptions, Trial } from '../trial.ts';

const UNKNOWN_CHANNEL = { code: 102, message: 'unknown channel' };

async function connectCloses(t: Trial, code: number, options: ConnectOptions): Promise<void> {
  const client = await t.open();
  client.socket.send(JSON.stringify({ id: 1, connect: t.connectRequest(options) }));
  expect(await client.closed()).toMatchObject({ code });
}

const refreshWith = (token: string): string => JSON.stringify({ id: 2, refresh: { token } });

/** What the numbered rows leave open about one client session: which check comes first, and what it compares. */
export const clientSession: readonly Scenario[] = [
  row('tokens 26b', 'a channel without a name is skipped', async (t) => {
    const { connected } = await t.connect({ claims: { channels: ['', t.channel()] } });
    expect(connected.subs).toEqual({ [t.channel()]: {} });
  }),
  rowFor(
    'limits',
    'client 64b',
    'of several limits the number of channels is told first, the expiry last',
    async (t) => {
      const channels = [1, 2, 3, 4].map((name) => t.channel('', `${name}`));
      await connectCloses(t, 3505, { claims: { expire_at: 100, channels } });
      await t.connect();
      await t.connect();
      await connectCloses(t, 3504, { claims: { expire_at: 100 } });
    },
  ),
  row('tokens 42b', 'a refresh with a channel that the client has left closes with 3010', async (t) => {
    const claims = { channels: [t.channel('', 'a'), t.channel('', 'b')] };
    const client = await t.connect({ claims });
    expect(await client.call({ unsubscribe: { channel: t.channel('', 'a') } })).toEqual({ id: 2, unsubscribe: {} });
    client.socket.send(refreshWith(t.token(claims)));
    expect(await client.closed()).toMatchObject({ code: 3010 });
  }),
  row('tokens 42c', 'a refresh with a channel that the client has subscribed to itself succeeds', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    const token = t.token({ channels: [t.channel()] });
    expect(await client.call({ refresh: { token } })).toMatchObject({ refresh: { expires: true } });
  }),
  row('tokens 42d', 'an unknown namespace in a refresh token is told before a wrong user', async (t) => {
    const client = await t.connect();
    const token = t.token({ sub: 'other', channels: ['nope:x'] });
    expect(await client.call({ refresh: { token } })).toEqual({ id: 2, error: UNKNOWN_CHANNEL });
  }),
  row(
    'client 178c',
    'a subscription that the server API has taken over is not for the client to refresh',
    async (t) => {
      const client = await t.connect();
      await client.subscribe(t.channel());
      await t.result('subscribe', { user: t.user, channel: t.channel() });
      expect(await client.push()).toEqual({ channel: t.channel(), subscribe: {} });
      const request = { channel: t.channel(), token: t.subToken(t.channel()) };
      client.socket.send(JSON.stringify({ id: 3, sub_refresh: request }));
      expect(await client.closed()).toMatchObject({ code: 3501 });
    },
  ),
  row('client 99d', 'only the subscribe command minds the length of a channel name', async (t) => {
    const long = `hist:${t.id}${'x'.repeat(6_000)}`;
    const client = await t.connect({ request: { subs: { [long]: {} } } });
    expect(client.connected.subs).toEqual({ [long]: {} });
    expect(await client.call({ publish: { channel: long, data: 1 } })).toEqual({ id: 2, publish: {} });
    expect(await client.push()).toMatchObject({ channel: long, pub: { data: 1, offset: 1 } });
    const { history } = await client.call({ history: { channel: long, limit: 1 } });
    expect(history).toMatchObject({ publications: [{ data: 1, offset: 1 }], offset: 1 });
    expect(await client.subscribe(`${long}x`)).toMatchObject({ error: { code: 107 } });
  }),
  row('client 117c', 'a subscriber gets its own publication before the reply', async (t) => {
    const client = await t.connect();
    const channel = t.channel();
    await client.subscribe(channel);
    const seen = client.socket.frames.length;
    await client.call({ publish: { channel, data: 1 } });
    const lines = client.socket.frames.slice(seen).flatMap((frame) => frame.toString().split('\n'));
    expect(lines.map((line) => Object.keys(JSON.parse(line)).at(-1))).toEqual(['push', 'publish']);
  }),
  row('client 119c', 'a publish of an unknown type is a plain one', async (t) => {
    const client = await t.connect();
    const request = { channel: t.channel(), data: 1, type: 7, key: 'k', removed: true };
    expect(await client.call({ publish: request })).toEqual({ id: 2, publish: {} });
  }),
  rowFor('unlimited', 'client 97c', 'values below zero lift limits and end pings', async (t) => {
    const idle = await t.open();
    const client = await t.connect();
    expect(client.connected).toEqual({
      client: client.id,
      version: expect.any(String),
      expires: true,
      ttl: expect.any(Number),
    });
    for (let count = 0; count < 130; count += 1) {
      expect(await client.subscribe(t.channel('', `${count}`))).not.toHaveProperty('error');
    }
    for (const data of [1, 2, 3]) await client.call({ publish: { channel: t.channel('hist'), data } });
    const page = (limit: number) => client.call({ history: { channel: t.channel('hist'), limit } });
    expect((await page(2)).history.publications).toHaveLength(2);
    expect((await page(-1)).history.publications).toHaveLength(3);
    expect(await idle.connect(t.connectRequest())).toMatchObject({ connect: { client: expect.any(String) } });
  }),
  rowFor('insecure', 'tokens 57c', 'insecure does not forget the expiry of a refresh token', async (t) => {
    const client = await t.connect();
    expect(await client.call({ refresh: { token: t.token() } })).toMatchObject({ refresh: { expires: true } });
  }),
];
