import { expect } from 'vitest';

import { secondsFromNow } from '../../harness/token.ts';
import type { Json } from '../../harness/raw-client.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { Trial } from '../trial.ts';

const DENIED = { code: 103, message: 'permission denied' };
const BAD = { code: 107, message: 'bad request' };

/** Subscribing to the channel gets the error, and the connection stays. */
const refused =
  (error: Json, channel: (t: Trial) => string, request: (t: Trial) => Record<string, unknown> = () => ({})) =>
  async (t: Trial): Promise<void> => {
    const client = await t.connect();
    expect(await client.subscribe(channel(t), request(t))).toEqual({ id: 2, error });
    expect(await client.subscribe(t.channel('', 'after'))).toEqual({ id: 3, subscribe: {} });
  };

const closes =
  (code: number, channel: (t: Trial) => string, request: (t: Trial) => Record<string, unknown>) =>
  async (t: Trial): Promise<void> => {
    const client = await t.connect();
    client.socket.send(JSON.stringify({ id: 2, subscribe: { channel: channel(t), ...request(t) } }));
    expect(await client.closed()).toMatchObject({ code });
  };

export const subscribing: readonly Scenario[] = [
  row('client 94', 'the subscribe reply comes before any push of the channel', async (t) => {
    const client = await t.connect();
    const channel = t.channel();
    const enough = new AbortController();
    const publishing = (async () => {
      while (!enough.signal.aborted) await t.publish(channel, 1);
    })();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await client.subscribe(channel);
    await client.publication();
    enough.abort();
    await publishing;
    const lines = client.socket.frames.flatMap((text) => String(text).split('\n'));
    expect(JSON.parse(lines[1] ?? '')).toEqual({ id: 2, subscribe: {} });
  }),
  row('client 95', 'a second subscribe to a channel gets 105', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    expect(await client.subscribe(t.channel())).toEqual({ id: 3, error: { code: 105, message: 'already subscribed' } });
  }),
  row('client 96', 'of two identical subscribes in flight the second gets 105', async (t) => {
    const client = await t.connect();
    const [first, second] = await Promise.all([
      client.subscribe(t.channel('hist')),
      client.subscribe(t.channel('hist')),
    ]);
    expect(first).toMatchObject({ subscribe: {} });
    expect(second).toMatchObject({ error: { code: 105 } });
  }),
  row('client 97', 'the 129th channel gets 106', async (t) => {
    const client = await t.connect();
    const replies = await Promise.all(
      Array.from({ length: 128 }, (_value, n) => client.subscribe(t.channel('', `n${n}-`))),
    );
    expect(replies.every(({ subscribe }) => subscribe !== undefined)).toBe(true);
    expect(await client.subscribe(t.channel())).toMatchObject({ error: { code: 106, message: 'limit exceeded' } });
    await client.call({ unsubscribe: { channel: t.channel('', 'n0-') } });
    expect(await client.subscribe(t.channel())).toMatchObject({ subscribe: {} });
  }),
  rowFor('limits', 'client 97b', 'client.channel_limit sets the limit', async (t) => {
    const client = await t.connect();
    for (const name of ['a', 'b', 'c'])
      expect(await client.subscribe(t.channel('', name))).toMatchObject({ subscribe: {} });
    expect(await client.subscribe(t.channel('', 'd'))).toMatchObject({ error: { code: 106 } });
  }),
  row(
    'client 98',
    'an unknown namespace gets 102',
    refused({ code: 102, message: 'unknown channel' }, (t) => t.channel('nope')),
  ),
  row(
    'client 99',
    'a channel name of 256 bytes gets 107',
    refused(BAD, () => 'x'.repeat(256)),
  ),
  row('client 99b', 'a channel name of 255 bytes is taken', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.id.padEnd(255, 'x'))).toMatchObject({ subscribe: {} });
  }),
  row(
    'client 100',
    'a channel name that is not ASCII gets 107',
    refused(BAD, () => 'naïve'),
  ),
  row(
    'client 101',
    'a private channel without a token gets 103',
    refused(DENIED, (t) => `$${t.id}`),
  ),
  row(
    'client 102',
    'an expired subscription token gets 109',
    refused(
      { code: 109, message: 'token expired' },
      (t) => t.channel(),
      (t) => ({ token: t.subToken(t.channel(), { exp: 1 }) }),
    ),
  ),
  row(
    'client 103',
    'a subscription token with a bad signature gets 103',
    refused(
      DENIED,
      (t) => t.channel(),
      (t) => ({ token: t.subToken(t.channel(), {}, { secret: 'wrong' }) }),
    ),
  ),
  row(
    'client 104',
    'a subscription token of another channel closes with 3500',
    closes(
      3500,
      (t) => t.channel(),
      (t) => ({ token: t.subToken('other') }),
    ),
  ),
  row(
    'client 104b',
    'a subscription token of another user closes with 3500',
    closes(
      3500,
      (t) => t.channel(),
      (t) => ({ token: t.subToken(t.channel(), { sub: 'other' }) }),
    ),
  ),
  row(
    'client 104c',
    'a subscription token of another client closes with 3500',
    closes(
      3500,
      (t) => t.channel(),
      (t) => ({ token: t.subToken(t.channel(), { client: 'other' }) }),
    ),
  ),
  row(
    'client 105',
    'a channel that is not permitted gets 103',
    refused(DENIED, (t) => t.channel('closed')),
  ),
  row(
    'client 106',
    'map subscription of a stream namespace gets 103',
    refused(
      DENIED,
      (t) => t.channel(),
      () => ({ type: 1 }),
    ),
  ),
  row(
    'client 107',
    'an unknown delta type closes with 3501',
    closes(
      3501,
      (t) => t.channel(),
      () => ({ delta: 'unknown' }),
    ),
  ),
  row('client 108', 'delta where it is not allowed is left out', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    const { subscribe } = await client.subscribe(channel, { delta: 'fossil' });
    expect(subscribe).not.toHaveProperty('delta');
    await t.publish(channel, { a: 1 }, { delta: true });
    expect((await client.publication()).data).toEqual({ a: 1 });
  }),
  row('client 109', 'positioning that is not permitted is left out', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel('hclosed'), { positioned: true, recoverable: true })).toEqual({
      id: 2,
      subscribe: {},
    });
  }),
  row('client 110', 'recovery is granted to who may read the history', async (t) => {
    const client = await t.connect();
    await t.publish(t.channel('hist'), 1);
    const { subscribe } = await client.subscribe(t.channel('hist'), { recoverable: true });
    expect(subscribe).toEqual({ recoverable: true, positioned: true, epoch: expect.stringMatching(/^.+$/), offset: 1 });
  }),
  row('client 110b', 'positioning is granted without recovery', async (t) => {
    const client = await t.connect();
    const { subscribe } = await client.subscribe(t.channel('hist'), { positioned: true });
    expect(subscribe).toEqual({ positioned: true, epoch: expect.stringMatching(/^.+$/) });
  }),
  row('client 110c', 'allow_recovery grants recovery', async (t) => {
    const client = await t.connect();
    expect((await client.subscribe(t.channel('allowrec'), { recoverable: true })).subscribe).toMatchObject({
      recoverable: true,
    });
  }),
  row('client 115', 'a refused subscribe leaves the channel free', async (t) => {
    const client = await t.connect();
    const channel = t.channel('closed');
    expect(await client.subscribe(channel)).toMatchObject({ error: DENIED });
    expect(await client.subscribe(channel, { token: t.subToken(channel) })).toMatchObject({ subscribe: {} });
  }),
  row(
    'client 116',
    'a subscription expiry in the past gets 110',
    refused(
      { code: 110, message: 'expired' },
      (t) => t.channel(),
      (t) => ({ token: t.subToken(t.channel(), { expire_at: secondsFromNow(-60) }) }),
    ),
  ),
  row('client 117', 'a publication of a client comes back with its info', async (t) => {
    const client = await t.connect({ claims: { info: { name: 'Ann' } } });
    await client.subscribe(t.channel());
    expect(await client.call({ publish: { channel: t.channel(), data: { a: 1 } } })).toEqual({ id: 3, publish: {} });
    expect(await client.push()).toEqual({
      channel: t.channel(),
      pub: { data: { a: 1 }, info: { user: t.user, client: client.id, conn_info: { name: 'Ann' } } },
    });
  }),
  row('client 117b', 'chan_info of the publisher is in the info', async (t) => {
    const client = await t.connect();
    const channel = t.channel();
    await client.subscribe(channel, { token: t.subToken(channel, { info: { role: 'admin' } }) });
    await client.call({ publish: { channel, data: 1 } });
    expect((await client.publication()).info).toEqual({
      user: t.user,
      client: client.id,
      chan_info: { role: 'admin' },
    });
  }),
  row('client 118', 'a publication that is not permitted gets 103', async (t) => {
    const client = await t.connect();
    expect(await client.call({ publish: { channel: t.channel('closed'), data: {} } })).toEqual({
      id: 2,
      error: DENIED,
    });
  }),
  row('client 119', 'a publication without data gets 107', async (t) => {
    const client = await t.connect();
    expect(await client.call({ publish: { channel: t.channel() } })).toEqual({ id: 2, error: BAD });
  }),
  row('client 120', 'pushes of a channel with history have offsets, the first one an epoch too', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    await client.subscribe(channel);
    await client.call({ publish: { channel, data: 'a' } });
    await client.call({ publish: { channel, data: 'b' } });
    expect(await client.publication()).toMatchObject({ data: 'a', offset: 1, epoch: expect.any(String) });
    const second = await client.publication();
    expect(second).toMatchObject({ data: 'b', offset: 2 });
    expect(second).not.toHaveProperty('epoch');
  }),
];
