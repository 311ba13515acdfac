import { expect } from 'vitest';

import { eventually } from '../../harness/eventually.ts';
import type { RawClient } from '../../harness/raw-client.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { Trial } from '../trial.ts';

const BAD = { code: 107, message: 'bad request' };
const OFF = { code: 108, message: 'not available' };

/** Five publications in a channel with history, and a client to read them. */
async function withFive(t: Trial, namespace = 'hist'): Promise<{ client: RawClient; channel: string }> {
  const channel = t.channel(namespace);
  await t.publishAll(channel, [1, 2, 3, 4, 5]);
  return { client: await t.connect(), channel };
}

const offsets = (publications: readonly { offset: number }[]): number[] => publications.map(({ offset }) => offset);

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
  row('client 121c', 'who has unsubscribed is seen by no node', async (t) => {
    const client = await t.connect();
    const other = await t.connect({ user: 'b', gateway: 1 });
    const nobody = { num_clients: 0, num_users: 0 };
    for (let round = 0; round < 6; round += 1) {
      const channel = t.channel('prs', `c${String(round)}`);
      await client.subscribe(channel);
      if (round % 3 === 0) {
        await t.result('unsubscribe', { user: t.user, channel });
        expect(await client.push()).toEqual({ channel, unsubscribe: expect.objectContaining({ code: 2000 }) });
      } else await client.call({ unsubscribe: { channel } });
      expect((await other.call({ presence_stats: { channel } })).presence_stats).toEqual(nobody);
      expect(await t.result('presence_stats', { channel })).toEqual(nobody);
    }
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
