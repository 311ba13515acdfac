import { expect } from 'vitest';

import { secondsFromNow } from '../../harness/token.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { ConnectOptions, Trial } from '../trial.ts';

const DENIED = { code: 103, message: 'permission denied' };

async function connectCloses(t: Trial, code: number, options: ConnectOptions): Promise<void> {
  const client = await t.open();
  client.socket.send(JSON.stringify({ id: 1, connect: t.connectRequest(options) }));
  expect(await client.closed()).toMatchObject({ code });
}

async function subscribeCloses(t: Trial, code: number, channel: string, token: string): Promise<void> {
  const client = await t.connect();
  client.socket.send(JSON.stringify({ id: 2, subscribe: { channel, token } }));
  expect(await client.closed()).toMatchObject({ code });
}

async function connectError(t: Trial, code: number, claims: Record<string, unknown>): Promise<void> {
  const client = await t.open();
  expect(await client.connect(t.connectRequest({ claims }))).toMatchObject({ error: { code } });
}

export const signatures: readonly Scenario[] = [
  ...['HS256', 'HS384', 'HS512'].map((alg) =>
    row(`tokens 1 ${alg}`, `a token signed with ${alg} connects`, async (t) => {
      await t.connect({ token: t.token({}, { alg }) });
    }),
  ),
  ...['none', 'HS1', 'RS256', 'PS256', 'EdDSA', 'ES256'].map((alg) =>
    row(`tokens 4 ${alg}`, `a token that claims ${alg} without such a key closes with 3500`, async (t) => {
      const [, body = ''] = t.token().split('.');
      const head = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url');
      await connectCloses(t, 3500, { token: `${head}.${body}.${alg === 'none' ? '' : 'c2ln'}` });
    }),
  ),
  row('tokens 5', 'text that is no token closes with 3500', async (t) => {
    const token = t.token();
    for (const bad of ['x', `x${token}`, token.split('.').slice(0, 2).join('.'), `${token}=`, '...', `${token}.x`]) {
      await connectCloses(t, 3500, { token: bad });
    }
  }),
  row('tokens 6', 'a token signed with another secret closes with 3500', (t) =>
    connectCloses(t, 3500, { token: t.token({}, { secret: 'other' }) }),
  ),
  rowFor('single', 'tokens 7', 'the previous secret is accepted', async (t) => {
    await t.connect({ token: t.token(singleClaims(t), { secret: 'old' }) });
  }),
  row('tokens 8', 'a user that is no string closes with 3500', (t) => connectCloses(t, 3500, { claims: { sub: 42 } })),
  row('tokens 9', 'unknown claims are accepted', async (t) => {
    await t.connect({ claims: { role: 'admin', deep: { a: [1] } } });
  }),
  row('tokens 9b', 'claims that mean something in the other kind of token only may hold anything', async (t) => {
    const client = await t.connect({ claims: { client: 5, override: 'x', allow: true, b64data: {}, caps: ['admin'] } });
    const token = t.subToken(t.channel('closed'), { channels: 'x', subs: [1], caps: 5, allow: 'pub' });
    expect(await client.subscribe(t.channel('closed'), { token })).toMatchObject({ subscribe: {} });
  }),
];

/** Claims that the configuration `single` asks for. */
function singleClaims(t: Trial): Record<string, unknown> {
  return { sub: undefined, uid: t.user, aud: ['x', 'carillon'], iss: 'tests' };
}

export const claims: readonly Scenario[] = [
  row('tokens 11', 'a token without a user is anonymous', async (t) => {
    const client = await t.connect({ claims: { sub: undefined } });
    expect(await client.subscribe(t.channel())).toMatchObject({ error: DENIED });
    expect(await client.subscribe(t.channel('anon'))).toMatchObject({ subscribe: {} });
  }),
  row('tokens 12', 'an expired token gets 109', (t) => connectError(t, 109, { exp: secondsFromNow(-1) })),
  row('tokens 13', 'a token that is not yet valid gets 109', (t) => connectError(t, 109, { nbf: secondsFromNow(100) })),
  row('tokens 13b', 'a date may be a string that holds a number', async (t) => {
    await t.connect({ claims: { exp: String(secondsFromNow(100)), iat: '1' } });
    await connectError(t, 109, { exp: String(secondsFromNow(-1)) });
    await connectCloses(t, 3500, { claims: { exp: 'soon' } });
  }),
  row('tokens 14', 'a token issued in the future is accepted', async (t) => {
    await t.connect({ claims: { iat: secondsFromNow(1000) } });
  }),
  row('tokens 15', 'expire_at 0 never expires', async (t) => {
    const { connected } = await t.connect({ claims: { expire_at: 0 } });
    expect(connected).not.toHaveProperty('expires');
    expect(connected).not.toHaveProperty('ttl');
  }),
  row('tokens 16', 'expire_at in the past gets 110', (t) => connectError(t, 110, { expire_at: 1 })),
  rowFor('single', 'tokens 17', 'the audience must match', async (t) => {
    await t.connect({ claims: singleClaims(t) });
    await t.connect({ claims: { ...singleClaims(t), aud: 'carillon' } });
    await connectCloses(t, 3500, { claims: { ...singleClaims(t), aud: undefined } });
    await connectCloses(t, 3500, { claims: { ...singleClaims(t), aud: ['other'] } });
  }),
  rowFor('single', 'tokens 18', 'the issuer must match', async (t) => {
    await connectCloses(t, 3500, { claims: { ...singleClaims(t), iss: 'other' } });
    await connectCloses(t, 3500, { claims: { ...singleClaims(t), iss: undefined } });
  }),
  rowFor('single', 'tokens 21', 'another claim can name the user', async (t) => {
    const client = await t.connect({ claims: { ...singleClaims(t), sub: 'ignored' } });
    const { presence } = await t.result('presence', { channel: `prs:#${t.user}` });
    expect(presence[client.id]).toMatchObject({ user: t.user });
  }),
  row('tokens 22', 'a connection token with a channel closes with 3500', (t) =>
    connectCloses(t, 3500, { claims: { channel: 'x' } }),
  ),
  row('tokens 23', 'bad b64info gets error 100', (t) => connectError(t, 100, { b64info: '***' })),
  row('tokens 23b', 'b64info reaches presence', async (t) => {
    const client = await t.connect({ claims: { b64info: Buffer.from('{"a":1}').toString('base64'), info: { b: 2 } } });
    await client.subscribe(t.channel('prs'));
    const { presence } = (await client.call({ presence: { channel: t.channel('prs') } })).presence;
    expect(presence[client.id].conn_info).toEqual({ a: 1 });
  }),
  row('tokens 24', 'of channels and subs only subs count', async (t) => {
    const { connected } = await t.connect({
      claims: { channels: [t.channel('', 'a')], subs: { [t.channel('', 'b')]: {} } },
    });
    expect(connected.subs).toEqual({ [t.channel('', 'b')]: {} });
  }),
  row('tokens 24b', 'a subscription of the token carries its data and publications', async (t) => {
    const channel = t.channel();
    const client = await t.connect({ gateway: 1, claims: { subs: { [channel]: { data: { a: 1 } } } } });
    expect(client.connected.subs).toEqual({ [channel]: { data: { a: 1 } } });
    await t.publish(channel, 'x');
    expect(await client.push()).toEqual({ channel, pub: { data: 'x' } });
  }),
  row('tokens 25', 'an override in subs keeps the client out of presence', async (t) => {
    const channel = t.channel('prs');
    await t.connect({ claims: { subs: { [channel]: { override: { presence: { value: false } } } } } });
    expect(await t.result('presence', { channel })).toEqual({ presence: {} });
  }),
  row('tokens 26', 'an unknown namespace in channels gets error 102', (t) =>
    connectError(t, 102, { channels: ['nope:x'] }),
  ),
  rowFor('anonymous', 'tokens 28', 'an anonymous token that is not allowed closes with 3507', (t) =>
    connectCloses(t, 3507, { claims: { sub: '' } }),
  ),
  row('tokens 42', 'a refresh with other channels closes with 3010', async (t) => {
    const client = await t.connect({ claims: { channels: [t.channel('', 'a')] } });
    client.socket.send(JSON.stringify({ id: 2, refresh: { token: t.token({ channels: [t.channel('', 'b')] }) } }));
    expect(await client.closed()).toMatchObject({ code: 3010 });
  }),
];

export const subscriptionTokens: readonly Scenario[] = [
  row('tokens 44', 'a subscription token is enough where nothing is allowed', async (t) => {
    const client = await t.connect();
    const channel = t.channel('closed');
    const token = t.subToken(channel, { exp: undefined });
    expect(await client.subscribe(channel, { token })).toEqual({ id: 2, subscribe: {} });
    await t.publish(channel, 1);
    expect((await client.publication()).data).toBe(1);
  }),
  row('tokens 44b', 'a token opens a private channel', async (t) => {
    const client = await t.connect();
    const channel = `$${t.id}`;
    expect(await client.subscribe(channel, { token: t.subToken(channel) })).toMatchObject({ subscribe: {} });
  }),
  row('tokens 45', 'a token bound to this client is accepted', async (t) => {
    const client = await t.connect();
    const token = t.subToken(t.channel(), { client: client.id });
    expect(await client.subscribe(t.channel(), { token })).toMatchObject({ subscribe: {} });
  }),
  row('tokens 45b', 'a token for a channel in no namespace gets 102, whatever channel is asked for', async (t) => {
    const client = await t.connect();
    const token = t.subToken('nope:x');
    expect(await client.subscribe(t.channel(), { token })).toMatchObject({ error: { code: 102 } });
    expect(await client.subscribe(t.channel())).toMatchObject({ subscribe: {} });
    expect(await client.call({ sub_refresh: { channel: t.channel(), token } })).toMatchObject({ error: { code: 102 } });
  }),
  row('tokens 46', 'a subscription token without a channel gets 103', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel(), { token: t.token() })).toMatchObject({ error: DENIED });
  }),
  row('tokens 47', 'a subscription token without a user fits anonymous connections only', async (t) => {
    const token = t.subToken(t.channel('closed'), { sub: undefined });
    const anonymous = await t.connect({ claims: { sub: '' } });
    expect(await anonymous.subscribe(t.channel('closed'), { token })).toMatchObject({ subscribe: {} });
    await subscribeCloses(t, 3500, t.channel('closed'), token);
  }),
  rowFor('single', 'tokens 48', 'separate keys of subscription tokens', async (t) => {
    const client = await t.connect({ claims: singleClaims(t) });
    const channel = t.channel('closed');
    expect(await client.subscribe(channel, { token: t.subToken(channel) })).toMatchObject({ error: DENIED });
    expect(await client.subscribe(channel, { token: t.subToken(channel, {}, { secret: 'other' }) })).toMatchObject({
      subscribe: {},
    });
  }),
  row('tokens 49', 'a subscription with expire_at 0 never expires', async (t) => {
    const client = await t.connect();
    const token = t.subToken(t.channel(), { expire_at: 0 });
    expect(await client.subscribe(t.channel(), { token })).toEqual({ id: 2, subscribe: {} });
    const late = t.subToken(t.channel('', 'b'), { expire_at: 0, exp: 1 });
    expect(await client.subscribe(t.channel('', 'b'), { token: late })).toMatchObject({ error: { code: 109 } });
  }),
  row('tokens 50', 'overrides change the subscription', async (t) => {
    const client = await t.connect();
    const recoverable = t.subToken(t.channel('hclosed'), { override: { force_recovery: { value: true } } });
    expect((await client.subscribe(t.channel('hclosed'), { token: recoverable })).subscribe).toMatchObject({
      recoverable: true,
      positioned: true,
    });
    const positioned = t.subToken(t.channel('hclosed', 'b'), { override: { force_positioning: { value: true } } });
    const { subscribe } = await client.subscribe(t.channel('hclosed', 'b'), { token: positioned });
    expect(subscribe).toMatchObject({ positioned: true });
    expect(subscribe).not.toHaveProperty('recoverable');
    const off = t.subToken(t.channel('small'), { override: { force_recovery: {} } });
    expect((await client.subscribe(t.channel('small'), { token: off })).subscribe).not.toHaveProperty('recoverable');
  }),
  row('tokens 50b', 'an override pushes join and leave', async (t) => {
    const client = await t.connect();
    const channel = t.channel('jl');
    const token = t.subToken(channel, { override: { force_push_join_leave: { value: true } } });
    await client.subscribe(channel, { token });
    expect(await client.push()).toMatchObject({ channel, join: { info: { client: client.id } } });
  }),
  row('tokens 51', 'data arrives in the reply and b64info wins', async (t) => {
    const client = await t.connect();
    const channel = t.channel('prs');
    const b64info = Buffer.from('"b64"').toString('base64');
    const { subscribe } = await client.subscribe(channel, {
      token: t.subToken(channel, { data: { a: 1 }, info: 'plain', b64info }),
    });
    expect(subscribe).toMatchObject({ data: { a: 1 } });
    const { presence } = (await client.call({ presence: { channel } })).presence;
    expect(presence[client.id].chan_info).toBe('b64');
  }),
];

export const anonymity: readonly Scenario[] = [
  row('tokens 55', 'without a token nobody connects', (t) => connectCloses(t, 3501, { user: '' })),
  rowFor('anonymous', 'tokens 56', 'anonymous connections may what is allowed for anonymous', async (t) => {
    const client = await t.connect({ user: '' });
    expect(await client.subscribe(t.channel())).toMatchObject({ error: DENIED });
    expect(await client.subscribe(t.channel('anon'))).toMatchObject({ subscribe: {} });
    expect(await client.subscribe(t.channel('anononly'))).toMatchObject({ error: DENIED });
    expect(await client.call({ publish: { channel: t.channel('anononly'), data: 1 } })).toMatchObject({
      error: DENIED,
    });
    expect(await client.call({ publish: { channel: t.channel('anon'), data: 1 } })).toMatchObject({ publish: {} });
  }),
  rowFor('insecure', 'tokens 57', 'insecure permits everything but private channels', async (t) => {
    const client = await t.connect({ user: '' });
    expect(await client.subscribe(t.channel('closed'))).toMatchObject({ subscribe: {} });
    expect(await client.call({ publish: { channel: t.channel('closed'), data: 1 } })).toMatchObject({ publish: {} });
    expect(await client.call({ presence: { channel: t.channel('pclosed') } })).toMatchObject({ presence: {} });
    expect(await client.call({ history: { channel: t.channel('hclosed') } })).toMatchObject({ history: {} });
    expect(await client.subscribe(`$${t.id}`)).toMatchObject({ error: DENIED });
    expect(await client.call({ presence: { channel: t.channel('closed') } })).toMatchObject({ error: { code: 108 } });
  }),
  rowFor(
    'insecure',
    'tokens 57b',
    'insecure still refuses an expired token, and forgets the expiry of a good one',
    async (t) => {
      await connectError(t, 109, { exp: 1 });
      const { connected } = await t.connect();
      expect(connected).not.toHaveProperty('expires');
    },
  ),
  rowFor('personal', 'tokens 58', 'a trusted header names the user', async (t) => {
    const client = await t.connect({ user: '', headers: { 'X-User': t.user } });
    expect(await client.subscribe(t.channel())).toMatchObject({ subscribe: {} });
  }),
  rowFor(
    'personal',
    'tokens 65',
    'a user is subscribed to the personal channel, an anonymous one is not',
    async (t) => {
      const client = await t.connect({ gateway: 1 });
      expect(Object.keys(client.connected.subs)).toEqual([`#${t.user}`]);
      await t.publish(`#${t.user}`, 'for you');
      expect(await client.push()).toEqual({ channel: `#${t.user}`, pub: { data: 'for you' } });
      const anonymous = await t.connect({ claims: { sub: '' } });
      expect(anonymous.connected).not.toHaveProperty('subs');
    },
  ),
  rowFor('single', 'tokens 66', 'a second connection of a user closes the first with 3504', async (t) => {
    const first = await t.connect({ claims: singleClaims(t) });
    expect(Object.keys(first.connected.subs)).toEqual([`prs:#${t.user}`]);
    await t.connect({ claims: singleClaims(t), gateway: 1 });
    expect(await first.closed()).toEqual({ code: 3504, reason: 'connection limit' });
  }),
  rowFor('limits', 'tokens 66b', 'the third connection of a user is closed with 3504', async (t) => {
    await t.connect();
    await t.connect();
    await connectCloses(t, 3504, {});
  }),
  row('tokens 76', 'channels asked for on connect are subscribed where allowed', async (t) => {
    const subs = { [t.channel()]: {}, [t.channel('closed')]: {}, [`$${t.id}`]: {}, naïve: {} };
    const { connected } = await t.connect({ request: { subs } });
    expect(connected.subs).toEqual({ [t.channel()]: {} });
    await connectCloses(t, 3501, { request: { subs: { 'nope:x': {} } } });
  }),
];
