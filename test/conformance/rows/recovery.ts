import { expect } from 'vitest';

import type { Json, RawClient } from '../../harness/raw-client.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { Trial } from '../trial.ts';

const NOT_RECOVERED = { recoverable: true, positioned: true, was_recovering: true };

/** A channel with `count` publications 1, 2, 3, … */
async function filled(t: Trial, namespace: string, count: number): Promise<{ channel: string; epoch: string }> {
  const channel = t.channel(namespace);
  await t.publishAll(
    channel,
    Array.from({ length: count }, (_value, n) => n + 1),
  );
  const { epoch } = await t.result('history', { channel });
  return { channel, epoch };
}

const recover = async (client: RawClient, channel: string, request: Record<string, unknown>): Promise<Json> =>
  (await client.subscribe(channel, { recover: true, ...request })).subscribe;

const brief = (publications: readonly Json[] | undefined): [unknown, number][] =>
  (publications ?? []).map(({ data, offset }) => [data, offset]);

export const recovery: readonly Scenario[] = [
  row('client 136', 'a client at the top recovers nothing', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 2);
    const client = await t.connect();
    expect(await recover(client, channel, { offset: 2, epoch })).toEqual({
      ...NOT_RECOVERED,
      recovered: true,
      offset: 2,
      epoch,
    });
  }),
  row('client 137', 'missed publications come in the reply, in order', async (t) => {
    const { channel, epoch } = await filled(t, 'hist', 5);
    const client = await t.connect();
    const result = await recover(client, channel, { recoverable: true, offset: 2, epoch });
    expect(result).toMatchObject({ ...NOT_RECOVERED, recovered: true, offset: 2, epoch });
    expect(brief(result.publications)).toEqual([
      [3, 3],
      [4, 4],
      [5, 5],
    ]);
    await t.publish(channel, 6);
    expect(await client.publication()).toMatchObject({ data: 6, offset: 6 });
  }),
  row('client 137b', 'a client of another gateway recovers the same', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 3);
    const client = await t.connect({ gateway: 1 });
    expect(brief((await recover(client, channel, { offset: 1, epoch })).publications)).toEqual([
      [2, 2],
      [3, 3],
    ]);
  }),
  row('client 138', 'who missed more than is kept is told so', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 6);
    const client = await t.connect();
    expect(await recover(client, channel, { offset: 2, epoch })).toEqual({ ...NOT_RECOVERED, offset: 6, epoch });
  }),
  rowFor('limits', 'client 139', 'who missed more than the recovery limit is told so', async (t) => {
    const client = await t.connect();
    const channel = t.channel('big');
    for (let n = 0; n < 7; n += 1) await client.call({ publish: { channel, data: n } });
    const { epoch } = (await client.call({ history: { channel } })).history;
    expect(await recover(client, channel, { offset: 1, epoch })).toEqual({ ...NOT_RECOVERED, offset: 7, epoch });
    await client.call({ unsubscribe: { channel } });
    expect(brief((await recover(client, channel, { offset: 2, epoch })).publications)).toHaveLength(5);
  }),
  row('client 140', 'a position of another epoch is not recovered', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 2);
    const client = await t.connect();
    expect(await recover(client, channel, { offset: 1, epoch: '_' })).toEqual({ ...NOT_RECOVERED, offset: 2, epoch });
  }),
  row('client 141', 'without epoch and offset everything that is kept from the start is recovered', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 3);
    const client = await t.connect();
    const result = await recover(client, channel, {});
    expect(result).toMatchObject({ recovered: true, epoch });
    expect(result.offset ?? 0).toBe(0);
    expect(brief(result.publications)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  }),
  row('client 142', 'a position above the top is not recovered', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 2);
    const client = await t.connect();
    expect(await recover(client, channel, { offset: 9, epoch })).toEqual({ ...NOT_RECOVERED, offset: 2, epoch });
  }),
  row('client 143', 'with flag 2 a failed recovery gets 112 and no subscription', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 6);
    const client = await t.connect();
    expect(await client.subscribe(channel, { recover: true, offset: 1, epoch, flag: 2 })).toEqual({
      id: 2,
      error: { code: 112, message: 'unrecoverable position' },
    });
    expect(await client.subscribe(channel)).toMatchObject({ subscribe: { offset: 6 } });
  }),
  row('client 144', 'with flag 2 a recovery that works is an ordinary one', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 3);
    const client = await t.connect();
    const result = await recover(client, channel, { offset: 1, epoch, flag: 3 });
    expect(brief(result.publications)).toEqual([
      [2, 2],
      [3, 3],
    ]);
  }),
  row('client 145', 'recovery where there is none is only noted', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel(), { recover: true, offset: 3, epoch: 'x' })).toEqual({
      id: 2,
      subscribe: { was_recovering: true },
    });
  }),
  row('client 146', 'publications during a recovery arrive once and in order', async (t) => {
    const { channel, epoch } = await filled(t, 'big', 5);
    const publisher = await t.connect({ gateway: 1 });
    const ids = Array.from({ length: 60 }, (_value, n) => n + 100);
    const clients = await Promise.all([0, 1, 0, 1].map((gateway) => t.connect({ gateway })));
    const last = publisher.reply(ids.at(-1) ?? 0);
    for (const id of ids) publisher.socket.send(JSON.stringify({ id, publish: { channel, data: id } }));
    await Promise.all(
      clients.map(async (client) => {
        const result = await recover(client, channel, { offset: 5, epoch });
        const seen: number[] = (result.publications ?? []).map(({ offset }: Json) => offset);
        await last;
        while ((seen.at(-1) ?? 0) < 65) seen.push((await client.publication()).offset);
        expect(seen).toEqual(ids.map((_id, n) => n + 6));
      }),
    );
  }),
  row('client 147', 'a positioned subscribe tells exactly what comes next', async (t) => {
    const channel = t.channel('big');
    const publisher = await t.connect();
    const ids = Array.from({ length: 60 }, (_value, n) => n + 100);
    const clients = await Promise.all([0, 1, 0, 1].map((gateway) => t.connect({ gateway })));
    const last = publisher.reply(ids.at(-1) ?? 0);
    for (const id of ids) publisher.socket.send(JSON.stringify({ id, publish: { channel, data: id } }));
    await Promise.all(
      clients.map(async (client) => {
        const { subscribe } = await client.subscribe(channel);
        await last;
        for (let offset = (subscribe.offset ?? 0) + 1; offset <= 60; offset += 1) {
          expect((await client.publication()).offset).toBe(offset);
        }
      }),
    );
  }),
  row('client 151b', 'a stream that began anew is told with its first publication, not before', async (t) => {
    const client = await t.connect({ gateway: 1 });
    const channel = t.channel('shortmeta');
    const { epoch } = (await client.subscribe(channel, { positioned: true })).subscribe;
    // Reads refresh the position: nobody may look meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    const { history } = await client.call({ history: { channel } });
    expect(history).toEqual({ publications: [], epoch: expect.not.stringMatching(epoch), offset: 0 });
    expect(client.pushes).toEqual([]);
    // On a busy machine even the new stream may be forgotten meanwhile.
    expect(await t.publish(channel, 1)).toEqual({ offset: 1, epoch: expect.not.stringMatching(epoch) });
    expect(await client.push()).toEqual({ channel, unsubscribe: { code: 2500, reason: 'insufficient state' } });
  }),
  row('client 153', 'cache mode recovers the latest publication only', async (t) => {
    const { channel, epoch } = await filled(t, 'cache', 3);
    const client = await t.connect();
    const result = await recover(client, channel, { offset: 1, epoch });
    expect(result).toMatchObject({ recovered: true, was_recovering: true, offset: 1 });
    expect(brief(result.publications)).toEqual([[3, 3]]);
  }),
  row('client 154', 'cache mode at the top recovers nothing', async (t) => {
    const { channel, epoch } = await filled(t, 'cache', 3);
    const client = await t.connect();
    expect(await recover(client, channel, { offset: 3, epoch })).toEqual({
      ...NOT_RECOVERED,
      recovered: true,
      offset: 3,
      epoch,
    });
  }),
  row('client 155', 'cache mode with nothing cached and an unknown position is not recovered', async (t) => {
    const client = await t.connect();
    const result = await recover(client, t.channel('cache'), { offset: 3, epoch: 'x' });
    expect(result).toMatchObject(NOT_RECOVERED);
    expect(result).not.toHaveProperty('recovered');
  }),
  row(
    'client 155b',
    'cache mode does not recover the empty start of a stream, and lets in who insists on it',
    async (t) => {
      const client = await t.connect();
      const channel = t.channel('cache');
      const { epoch } = (await client.subscribe(channel)).subscribe;
      for (const flag of [0, 2]) {
        await client.call({ unsubscribe: { channel } });
        expect(await recover(client, channel, { epoch, flag })).toEqual({ ...NOT_RECOVERED, epoch });
      }
    },
  ),
  row('client 156', 'auto_cache_recover gives the latest publication without being asked', async (t) => {
    const { channel } = await filled(t, 'auto', 3);
    const client = await t.connect();
    const { subscribe } = await client.subscribe(channel);
    expect(subscribe).toMatchObject({ recovered: true, was_recovering: true });
    expect(brief(subscribe.publications)).toEqual([[3, 3]]);
  }),
  row('client 158', 'cache mode with a filter gives the newest publication that matches', async (t) => {
    const channel = t.channel('cache');
    await t.publish(channel, 'yes', { tags: { k: '1' } });
    await t.publish(channel, 'no', { tags: { k: '2' } });
    const client = await t.connect();
    const { subscribe } = await client.subscribe(channel, { recover: true, tf: { key: 'k', cmp: 'eq', val: '1' } });
    expect(brief(subscribe.publications)).toEqual([['yes', 1]]);
  }),
  row('client 159', 'server-side subscriptions recover in the connect reply', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 3);
    const claims = { channels: [channel] };
    const { connected } = await t.connect({
      claims,
      request: { subs: { [channel]: { recover: true, offset: 1, epoch } } },
    });
    expect(connected.subs[channel]).toMatchObject({ ...NOT_RECOVERED, recovered: true, offset: 1, epoch });
    expect(brief(connected.subs[channel].publications)).toEqual([
      [2, 2],
      [3, 3],
    ]);
  }),
  row('client 161', 'a server-side unsubscribe is a push with code 2000', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    await t.result('unsubscribe', { user: t.user, channel: t.channel() });
    expect(await client.push()).toEqual({
      channel: t.channel(),
      unsubscribe: { code: 2000, reason: 'server unsubscribe' },
    });
    expect(await client.subscribe(t.channel())).toMatchObject({ subscribe: {} });
  }),
  row('client 162', 'a subscription made by the server API is pushed, then its publications', async (t) => {
    const { channel, epoch } = await filled(t, 'small', 2);
    const client = await t.connect({ gateway: 1 });
    await t.result('subscribe', { user: t.user, channel, data: { hello: 1 } });
    expect(await client.push()).toEqual({
      channel,
      subscribe: { recoverable: true, positioned: true, epoch, offset: 2, data: { hello: 1 } },
    });
    await t.publish(channel, 3);
    expect(await client.push()).toMatchObject({ channel, pub: { data: 3, offset: 3 } });
  }),
  row('client 163', 'subscribe to a server-side channel gets 105', async (t) => {
    const client = await t.connect({ claims: { channels: [t.channel()] } });
    expect(client.connected.subs).toEqual({ [t.channel()]: {} });
    expect(await client.subscribe(t.channel())).toMatchObject({ error: { code: 105 } });
  }),
  row('client 164', 'unsubscribe from a server-side channel ends it', async (t) => {
    const client = await t.connect({ claims: { channels: [t.channel()] } });
    expect(await client.call({ unsubscribe: { channel: t.channel() } })).toEqual({ id: 2, unsubscribe: {} });
    await t.publish(t.channel(), 1);
    await client.subscribe(t.channel());
    await t.publish(t.channel(), 2);
    expect((await client.publication()).data).toBe(2);
  }),
  row('client 165', 'a token with 129 channels closes with 3505', async (t) => {
    const client = await t.open();
    const channels = Array.from({ length: 129 }, (_value, n) => t.channel('', `n${n}-`));
    client.socket.send(JSON.stringify({ id: 1, connect: t.connectRequest({ claims: { channels } }) }));
    expect(await client.closed()).toEqual({ code: 3505, reason: 'channel limit' });
  }),
];
