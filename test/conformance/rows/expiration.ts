import { expect } from 'vitest';

import { eventually } from '../../harness/eventually.ts';
import { secondsFromNow } from '../../harness/token.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { Trial } from '../trial.ts';

const TEN_YEARS_S = 10 * 365 * 86_400;
const LONGEST_TTL_S = 31_536_000;

/** Enough to connect or subscribe before it, on a busy machine. */
const SOON_S = 5;

/** Until an expired subscription was refreshed or ended. */
const EXTENDED_MS = 20_000;

const refreshCloses =
  (code: number, token: (t: Trial) => string) =>
  async (t: Trial): Promise<void> => {
    const client = await t.connect();
    client.socket.send(JSON.stringify({ id: 2, refresh: { token: token(t) } }));
    expect(await client.closed()).toMatchObject({ code });
  };

export const expiration: readonly Scenario[] = [
  row('client 166', 'refresh with a valid token tells the new ttl', async (t) => {
    const client = await t.connect();
    const { refresh } = await client.call({ refresh: { token: t.token({ exp: secondsFromNow(500) }) } });
    expect(refresh).toEqual({ expires: true, ttl: expect.any(Number) });
    expect(Math.abs(refresh.ttl - 500)).toBeLessThan(5);
  }),
  row(
    'client 167',
    'refresh with an empty token closes with 3501',
    refreshCloses(3501, () => ''),
  ),
  row(
    'client 168',
    'refresh with an expired token closes with 3005',
    refreshCloses(3005, (t) => t.token({ exp: 1 })),
  ),
  row(
    'client 169',
    'refresh with an invalid token closes with 3500',
    refreshCloses(3500, (t) => t.token({}, { secret: 'wrong' })),
  ),
  row(
    'client 169b',
    'refresh with the token of another user closes with 3500',
    refreshCloses(3500, (t) => t.token({ sub: 'other' })),
  ),
  row('client 169c', 'refresh with an expiry that is over gets 110', async (t) => {
    const client = await t.connect();
    const token = t.token({ expire_at: secondsFromNow(-5) });
    expect(await client.call({ refresh: { token } })).toEqual({ id: 2, error: { code: 110, message: 'expired' } });
  }),
  rowFor('timers', 'client 170', 'a connection that is not refreshed closes with 3005 after the grace', async (t) => {
    const client = await t.connect({ claims: { exp: secondsFromNow(SOON_S) } });
    expect(await client.closed()).toEqual({ code: 3005, reason: 'connection expired' });
  }),
  rowFor('timers', 'client 170b', 'a connection that is refreshed in time stays', async (t) => {
    const client = await t.connect({ claims: { exp: secondsFromNow(SOON_S) } });
    expect(await client.call({ refresh: { token: t.token() } })).toMatchObject({ refresh: { expires: true } });
    await new Promise((resolve) => setTimeout(resolve, (SOON_S + 2) * 1000));
    expect(client.socket.end).toBeUndefined();
  }),
  rowFor(
    'proxies',
    'client 171',
    'refresh where the server refreshes closes with 3501',
    refreshCloses(3501, (t) => t.token()),
  ),
  row('client 172', 'refresh by the server API is a push with the ttl', async (t) => {
    const client = await t.connect();
    await t.result('refresh', { user: t.user, expire_at: secondsFromNow(300) });
    const { refresh } = await client.push();
    expect(refresh).toEqual({ expires: true, ttl: expect.any(Number) });
    expect(Math.abs(refresh.ttl - 300)).toBeLessThan(5);
  }),
  row('client 173', 'refresh as expired by the server API closes with 3005', async (t) => {
    const client = await t.connect({ gateway: 1 });
    await t.result('refresh', { user: t.user, expired: true });
    expect(await client.closed()).toEqual({ code: 3005, reason: 'connection expired' });
  }),
  row('client 174', 'a subscription with an expiry tells its ttl', async (t) => {
    const client = await t.connect();
    const { subscribe } = await client.subscribe(t.channel(), {
      token: t.subToken(t.channel(), { exp: secondsFromNow(300) }),
    });
    expect(subscribe).toEqual({ expires: true, ttl: expect.any(Number) });
    expect(Math.abs(subscribe.ttl - 300)).toBeLessThan(5);
  }),
  row('client 175', 'sub_refresh with a valid token tells the new ttl', async (t) => {
    const client = await t.connect();
    const channel = t.channel();
    await client.subscribe(channel, { token: t.subToken(channel, { exp: secondsFromNow(300) }) });
    const token = t.subToken(channel, { exp: secondsFromNow(900) });
    const { sub_refresh } = await client.call({ sub_refresh: { channel, token } });
    expect(sub_refresh).toEqual({ expires: true, ttl: expect.any(Number) });
    expect(Math.abs(sub_refresh.ttl - 900)).toBeLessThan(5);
  }),
  row('client 176', 'sub_refresh without a subscription gets 103', async (t) => {
    const client = await t.connect();
    const request = { channel: t.channel(), token: t.subToken(t.channel()) };
    expect(await client.call({ sub_refresh: request })).toEqual({
      id: 2,
      error: { code: 103, message: 'permission denied' },
    });
  }),
  row('client 177', 'sub_refresh with an empty token gets 107', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel(), { token: t.subToken(t.channel()) });
    expect(await client.call({ sub_refresh: { channel: t.channel() } })).toMatchObject({ error: { code: 107 } });
  }),
  row('client 178', 'sub_refresh with the token of another channel closes with 3500', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel(), { token: t.subToken(t.channel()) });
    client.socket.send(JSON.stringify({ id: 3, sub_refresh: { channel: t.channel(), token: t.subToken('other') } }));
    expect(await client.closed()).toMatchObject({ code: 3500 });
  }),
  rowFor('timers', 'client 179', 'a subscription that is not refreshed ends with 2501', async (t) => {
    const client = await t.connect();
    const channel = t.channel();
    await client.subscribe(channel, { token: t.subToken(channel, { exp: secondsFromNow(SOON_S) }) });
    expect(await client.push()).toEqual({ channel, unsubscribe: { code: 2501, reason: 'subscription expired' } });
    expect(client.socket.end).toBeUndefined();
  }),
  rowFor('timers', 'client 179b', 'an expired server-side subscription closes with 3006', async (t) => {
    const client = await t.connect();
    await t.result('subscribe', { user: t.user, channel: t.channel(), expire_at: secondsFromNow(SOON_S) });
    expect(await client.push()).toMatchObject({ subscribe: {} });
    expect(await client.closed()).toEqual({ code: 3006, reason: 'subscription expired' });
  }),
  rowFor('proxies', 'proxy 66', 'the backend extends a subscription that expired, with new info', async (t) => {
    const client = await t.connect();
    const channel = t.channel('psr', 'extended');
    const token = t.subToken(channel, { exp: secondsFromNow(SOON_S), info: { of: 'token' } });
    expect(await client.subscribe(channel, { token })).toEqual({ id: 2, subscribe: {} });
    await eventually(async () => {
      const { presence } = await t.result('presence', { channel });
      expect(presence[client.id]).toMatchObject({ chan_info: { of: 'backend' } });
    }, EXTENDED_MS);
    expect(t.backend?.callsOf('/sub_refresh', { channel }).map(({ body }) => Object.keys(body))).toEqual([
      ['client', 'transport', 'protocol', 'encoding', 'user', 'channel'],
    ]);
    expect(client.pushes).toEqual([]);
  }),
  rowFor('proxies', 'proxy 67', 'a subscription that the backend lets expire ends with 2501', async (t) => {
    const client = await t.connect();
    const channel = t.channel('psr');
    await client.subscribe(channel, { token: t.subToken(channel, { exp: secondsFromNow(SOON_S) }) });
    expect(await client.push(EXTENDED_MS)).toEqual({
      channel,
      unsubscribe: { code: 2501, reason: 'subscription expired' },
    });
  }),
  rowFor('proxies', 'proxy 66b', 'the backend extends a subscription by the server API, too', async (t) => {
    const client = await t.connect();
    const channel = t.channel('psr', 'extended');
    await t.result('subscribe', { user: t.user, channel, expire_at: secondsFromNow(SOON_S) });
    expect(await client.push()).toEqual({ channel, subscribe: {} });
    await eventually(async () => {
      const { presence } = await t.result('presence', { channel });
      expect(presence[client.id]).toMatchObject({ chan_info: { of: 'backend' } });
    }, EXTENDED_MS);
    expect(client.socket.end).toBeUndefined();
  }),
  rowFor('proxies', 'proxy 67b', 'a subscription by the server API that the backend lets expire is 3006', async (t) => {
    const client = await t.connect();
    const channel = t.channel('psr');
    await t.result('subscribe', { user: t.user, channel, expire_at: secondsFromNow(SOON_S) });
    expect(await client.closed(EXTENDED_MS)).toEqual({ code: 3006, reason: 'subscription expired' });
    expect(t.backend?.callsOf('/sub_refresh', { channel })).toHaveLength(1);
  }),
  row('client 180', 'a ttl is told as a year at most, but not in a subscribe reply', async (t) => {
    const exp = secondsFromNow(TEN_YEARS_S);
    const client = await t.connect({ claims: { exp } });
    expect(client.connected.ttl).toBe(LONGEST_TTL_S);
    expect((await client.call({ refresh: { token: t.token({ exp }) } })).refresh.ttl).toBe(LONGEST_TTL_S);
    const token = t.subToken(t.channel(), { exp });
    expect((await client.subscribe(t.channel(), { token })).subscribe.ttl).toBeGreaterThan(LONGEST_TTL_S);
    expect((await client.call({ sub_refresh: { channel: t.channel(), token } })).sub_refresh.ttl).toBe(LONGEST_TTL_S);
  }),
  row(
    'channels refreshed presence',
    'presence shows what connection and subscription were refreshed with',
    async (t) => {
      const client = await t.connect({ claims: { info: { of: 'connection' } } });
      const channel = t.channel('prs');
      await client.subscribe(channel, { token: t.subToken(channel, { info: { of: 'channel' } }) });
      await client.call({ refresh: { token: t.token({ info: { of: 'new connection' } }) } });
      await client.call({ sub_refresh: { channel, token: t.subToken(channel, { info: { of: 'new channel' } }) } });
      await eventually(async () => {
        const { presence } = await t.result('presence', { channel });
        expect(presence[client.id]).toMatchObject({
          conn_info: { of: 'new connection' },
          chan_info: { of: 'new channel' },
        });
      });
    },
  ),
];
