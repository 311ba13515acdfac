import { expect } from 'vitest';

import { eventually } from '../../harness/eventually.ts';
import { secondsFromNow } from '../../harness/token.ts';
import type { Json, RawClient } from '../../harness/raw-client.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { Trial } from '../trial.ts';

const DENIED = { code: 103, message: 'permission denied' };
const BAD = { code: 107, message: 'bad request' };
const OFF = { code: 108, message: 'not available' };

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

/** Five publications in a channel with history, and a client to read them. */
async function withFive(t: Trial, namespace = 'hist'): Promise<{ client: RawClient; channel: string }> {
  const channel = t.channel(namespace);
  await t.publishAll(channel, [1, 2, 3, 4, 5]);
  return { client: await t.connect(), channel };
}

const offsets = (publications: readonly { offset: number }[]): number[] => publications.map(({ offset }) => offset);

export const subscribing: readonly Scenario[] = [
  row('client 94', 'the subscribe reply comes before any push of the channel', async (t) => {
    const client = await t.connect();
    const channel = t.channel();
    let isPublishing = true;
    const publishing = (async () => {
      while (isPublishing) await t.publish(channel, 1);
    })();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await client.subscribe(channel);
    await client.publication();
    isPublishing = false;
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

export const presence: readonly Scenario[] = [
  row('client 111', 'join and leave reach a subscriber that asked for them', async (t) => {
    const client = await t.connect();
    const channel = t.channel('jl');
    await client.subscribe(channel, { join_leave: true });
    expect(await client.push()).toEqual({ channel, join: { info: { user: t.user, client: client.id } } });
    const second = await t.connect({ user: 'b', gateway: 1 });
    await second.subscribe(channel);
    expect(await client.push()).toEqual({ channel, join: { info: { user: 'b', client: second.id } } });
    await second.call({ unsubscribe: { channel } });
    expect(await client.push()).toEqual({ channel, leave: { info: { user: 'b', client: second.id } } });
    await second.subscribe(channel);
    expect(await client.push()).toMatchObject({ join: {} });
    second.socket.drop();
    expect(await client.push()).toEqual({ channel, leave: { info: { user: 'b', client: second.id } } });
  }),
  row('client 112', 'nobody gets join and leave without asking', async (t) => {
    const client = await t.connect();
    const channel = t.channel('jl');
    await client.subscribe(channel);
    const second = await t.connect({ user: 'b', gateway: 1 });
    await second.subscribe(channel);
    await second.call({ unsubscribe: { channel } });
    await t.publish(channel, 'only this');
    expect(await client.push()).toEqual({ channel, pub: { data: 'only this' } });
  }),
  row('client 113', 'the own join comes after the own subscribe reply', async (t) => {
    const client = await t.connect();
    const channel = t.channel('jlh');
    await client.subscribe(channel);
    await client.push();
    const kinds = client.socket.frames
      .flatMap((text) => String(text).split('\n'))
      .map((line) => Object.keys(JSON.parse(line))[0]);
    expect(kinds).toEqual(['id', 'id', 'push']);
  }),
  row('client 114', 'observers see the join before the leave', async (t) => {
    const observer = await t.connect();
    const channel = t.channel('jlh');
    await observer.subscribe(channel);
    await observer.push();
    for (let round = 0; round < 5; round += 1) {
      const other = await t.connect({ user: 'b', gateway: 1 });
      await other.subscribe(channel);
      other.socket.drop();
      expect(await observer.push()).toMatchObject({ join: { info: { client: other.id } } });
      expect(await observer.push()).toMatchObject({ leave: { info: { client: other.id } } });
    }
  }),
  row('client 121', 'presence has the own client', async (t) => {
    const client = await t.connect({ claims: { info: { n: 1 } } });
    const channel = t.channel('prs');
    await client.subscribe(channel);
    expect(await client.call({ presence: { channel } })).toEqual({
      id: 3,
      presence: { presence: { [client.id]: { user: t.user, client: client.id, conn_info: { n: 1 } } } },
    });
  }),
  row('client 121b', 'presence has the clients of every gateway and forgets those that left', async (t) => {
    const client = await t.connect();
    const other = await t.connect({ user: 'b', gateway: 1 });
    const channel = t.channel('prs');
    await client.subscribe(channel);
    await other.subscribe(channel);
    const present = async (): Promise<string[]> =>
      Object.keys((await client.call({ presence: { channel } })).presence.presence);
    await eventually(async () => expect((await present()).sort()).toEqual([client.id, other.id].sort()));
    other.socket.drop();
    await eventually(async () => expect(await present()).toEqual([client.id]));
  }),
  row('client 122', 'presence that is off gets 108', async (t) => {
    const client = await t.connect();
    expect(await client.call({ presence: { channel: t.channel() } })).toEqual({ id: 2, error: OFF });
    expect(await client.call({ presence_stats: { channel: t.channel() } })).toEqual({ id: 3, error: OFF });
  }),
  row('client 123', 'presence stats count clients and users', async (t) => {
    const client = await t.connect();
    const channel = t.channel('prs');
    expect(await client.call({ presence_stats: { channel } })).toEqual({
      id: 2,
      presence_stats: { num_clients: 0, num_users: 0 },
    });
    const other = await t.connect({ gateway: 1 });
    await client.subscribe(channel);
    await other.subscribe(channel);
    await eventually(async () =>
      expect((await client.call({ presence_stats: { channel } })).presence_stats).toEqual({
        num_clients: 2,
        num_users: 1,
      }),
    );
  }),
];

export const history: readonly Scenario[] = [
  row('client 124', 'history that is off gets 108', async (t) => {
    const client = await t.connect();
    expect(await client.call({ history: { channel: t.channel('nottl') } })).toEqual({ id: 2, error: OFF });
  }),
  row('client 125', 'history without a limit gives the position only', async (t) => {
    const { client, channel } = await withFive(t);
    expect(await client.call({ history: { channel } })).toEqual({
      id: 2,
      history: { publications: [], epoch: expect.stringMatching(/^.+$/), offset: 5 },
    });
  }),
  row('client 125b', 'history of a channel without publications has a position', async (t) => {
    const client = await t.connect();
    const { history } = await client.call({ history: { channel: t.channel('hist'), limit: 10 } });
    expect(history).toEqual({ publications: [], epoch: expect.stringMatching(/^.+$/), offset: 0 });
    const { epoch } = await t.publish(t.channel('hist'), 1);
    expect(epoch).toBe(history.epoch);
  }),
  row('client 126', 'a history read gives at most 300 publications', async (t) => {
    const client = await t.connect();
    const channel = t.channel('big');
    const ids = Array.from({ length: 320 }, (_value, n) => n + 100);
    const done = Promise.all(ids.map((id) => client.reply(id, 20_000)));
    client.socket.send(ids.map((id) => JSON.stringify({ id, publish: { channel, data: id } })).join('\n'));
    await done;
    for (const limit of [-1, 1000]) {
      const { history } = await client.call({ history: { channel, limit } });
      expect(offsets(history.publications)).toEqual(Array.from({ length: 300 }, (_value, n) => n + 1));
      expect(history.offset).toBe(320);
    }
  }),
  rowFor('limits', 'client 126b', 'client.history_max_publication_limit sets the limit', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    for (let n = 0; n < 7; n += 1) await client.call({ publish: { channel, data: n } });
    expect((await client.call({ history: { channel, limit: -1 } })).history.publications).toHaveLength(5);
  }),
  row('client 127', 'history since a position', async (t) => {
    const { client, channel } = await withFive(t);
    const { history } = await client.call({ history: { channel, limit: 10, since: { offset: 2 } } });
    expect(history.publications).toEqual(
      [
        { data: 3, offset: 3 },
        { data: 4, offset: 4 },
        { data: 5, offset: 5 },
      ].map((one) => expect.objectContaining(one)),
    );
    expect(
      (await client.call({ history: { channel, limit: 2, since: { offset: 2, epoch: history.epoch } } })).history
        .publications,
    ).toHaveLength(2);
    expect((await client.call({ history: { channel, limit: 9, since: { offset: 5 } } })).history.publications).toEqual(
      [],
    );
    expect((await client.call({ history: { channel, limit: 9, since: { offset: 50 } } })).history.publications).toEqual(
      [],
    );
  }),
  row('client 128', 'history in reverse', async (t) => {
    const { client, channel } = await withFive(t);
    const { history } = await client.call({ history: { channel, limit: 2, reverse: true } });
    expect(offsets(history.publications)).toEqual([5, 4]);
  }),
  row('client 129', 'history in reverse before a position', async (t) => {
    const { client, channel } = await withFive(t);
    const { history } = await client.call({ history: { channel, limit: 10, reverse: true, since: { offset: 4 } } });
    expect(offsets(history.publications)).toEqual([3, 2, 1]);
  }),
  row('client 130', 'history in reverse since offset 0 gets 107', async (t) => {
    const { client, channel } = await withFive(t);
    expect(await client.call({ history: { channel, limit: 10, reverse: true, since: { offset: 0 } } })).toEqual({
      id: 2,
      error: BAD,
    });
  }),
  row('client 131', 'history since another epoch gets 112', async (t) => {
    const { client, channel } = await withFive(t);
    expect(await client.call({ history: { channel, limit: 10, since: { offset: 1, epoch: 'other' } } })).toEqual({
      id: 2,
      error: { code: 112, message: 'unrecoverable position' },
    });
  }),
  row('client 132', 'history is empty after its time, with its position kept', async (t) => {
    const { client, channel } = await withFive(t, 'shortttl');
    const before = (await client.call({ history: { channel, limit: 10 } })).history;
    const expected = { publications: [], epoch: before.epoch, offset: 5 };
    await eventually(async () =>
      expect((await client.call({ history: { channel, limit: 10 } })).history).toEqual(expected),
    );
    expect(await t.publish(channel, 6)).toEqual({ offset: 6, epoch: before.epoch });
  }),
  row('client 133', 'after the time of its position a channel starts anew', async (t) => {
    const { client, channel } = await withFive(t, 'shortmeta');
    const { epoch } = (await client.call({ history: { channel } })).history;
    // Reads refresh the position: nobody may look meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    const after = (await client.call({ history: { channel, limit: 10 } })).history;
    expect(after.publications).toEqual([]);
    expect(after.offset).toBe(0);
    expect(after.epoch).not.toBe(epoch);
  }),
];
