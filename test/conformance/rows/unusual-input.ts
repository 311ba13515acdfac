import { expect } from 'vitest';

import { row, rowFor, type Scenario } from '../scenario.ts';
import type { Trial } from '../trial.ts';

const BAD_REQUEST = { code: 3501, reason: 'bad request' };
const INAPPROPRIATE = { code: 3506, reason: 'inappropriate protocol' };
const BINARY = Buffer.from([0xff, 0x01]).toString('base64');
const STREAM = '/connection/http_stream';

/** A refused client of http_stream, whose frame held more than the connect command. */
async function refusedWith(t: Trial, rest: string): Promise<string> {
  const body = `${JSON.stringify({ id: 1, connect: t.connectRequest({ claims: { exp: 1 } }) })}\n${rest}`;
  return (await t.stream(STREAM, { method: 'POST', body })).ended();
}

const STALE_ALONE =
  '{"id":1,"error":{"code":109,"message":"token expired"}}\n{"push":{"disconnect":{"code":3502,"reason":"stale"}}}\n';

/** What clients and backends rarely send, beyond the numbered rows. */
export const unusualInput: readonly Scenario[] = [
  row('client 80b', 'keys are taken in any case', async (t) => {
    const client = await t.open();
    const reply = client.reply(1);
    client.socket.send(JSON.stringify({ ID: 1, Connect: { TOKEN: t.token() } }));
    expect(await reply).toMatchObject({ connect: { client: expect.any(String) } });
  }),
  rowFor(
    'timers',
    'client 59b',
    'garbage after a failed connect is not looked at, and the socket goes stale',
    async (t) => {
      const client = await t.open();
      await client.connect(t.connectRequest({ claims: { exp: 1 } }));
      client.socket.send('{garbage');
      expect(await client.closed()).toEqual({ code: 3502, reason: 'stale' });
    },
  ),
  rowFor('timers', 'client 61b', 'commands behind a failed connect of http_stream are not processed', async (t) => {
    expect(await refusedWith(t, '{"id":2,"subscribe":{"channel":"x"}}')).toBe(STALE_ALONE);
  }),
  rowFor('timers', 'client 61c', 'nor is garbage behind it', async (t) => {
    expect(await refusedWith(t, '{garbage')).toBe(STALE_ALONE);
  }),
  row('client 85b', 'a map publish without a channel closes with 3501', async (t) => {
    const client = await t.connect();
    client.socket.send('{"id":2,"publish":{"type":1,"key":"k","data":1}}');
    expect(await client.closed()).toEqual(BAD_REQUEST);
  }),
  row('client 85c', 'a map publish checks its channel', async (t) => {
    const client = await t.connect();
    const answer = (channel: string) => client.call({ publish: { type: 1, channel, key: 'k', data: 1 } });
    expect(await answer('nope:x')).toMatchObject({ error: { code: 102 } });
    expect(await answer(t.channel())).toMatchObject({ error: { code: 107 } });
  }),
  row('client 202', 'a map subscription, which is not built, is not available', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel('map'), { type: 1 })).toMatchObject({ error: { code: 108 } });
    expect(await client.subscribe(t.channel('map'))).toMatchObject({ error: { code: 103 } });
  }),
  row('client 242', 'nor is a shared poll', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel('poll'), { type: 4 })).toMatchObject({ error: { code: 108 } });
    expect(await client.subscribe(t.channel('poll'))).toMatchObject({ error: { code: 107 } });
    expect(await client.subscribe(t.channel(), { type: 4 })).toMatchObject({ error: { code: 108 } });
  }),
  rowFor('insecure', 'client 86b', 'one frame may subscribe and unsubscribe again and again', async (t) => {
    const client = await t.connect({ user: '' });
    const channel = t.channel('prs');
    const commands = Array.from({ length: 19 }, (_, at) => ({
      id: at + 2,
      [at % 2 === 0 ? 'subscribe' : 'unsubscribe']: { channel },
    }));
    const replies = commands.map(({ id }) => client.reply(id));
    client.socket.send(commands.map((command) => JSON.stringify(command)).join('\n'));
    for (const reply of await Promise.all(replies)) expect(reply.error).toBeUndefined();
    expect((await client.call({ presence_stats: { channel } })).presence_stats).toEqual({
      num_clients: 1,
      num_users: 1,
    });
  }),
  row('client 178b', 'sub_refresh of a server-side subscription closes with 3501', async (t) => {
    const client = await t.connect({ claims: { channels: [t.channel()] } });
    const request = { channel: t.channel(), token: t.subToken(t.channel()) };
    client.socket.send(JSON.stringify({ id: 2, sub_refresh: request }));
    expect(await client.closed()).toEqual(BAD_REQUEST);
  }),
  row('client 91b', 'a JSON client that reads binary history is closed with 3506, each time', async (t) => {
    const channel = t.channel('hist');
    await t.result('publish', { channel, b64data: BINARY });
    for (let time = 0; time < 3; time += 1) {
      const client = await t.connect();
      client.socket.send(JSON.stringify({ id: 2, history: { channel, limit: 1 } }));
      expect(await client.closed()).toEqual(INAPPROPRIATE);
      expect(client.socket.frames).toHaveLength(1);
    }
  }),
  row('client 91c', 'a JSON client whose subscribe result holds binary data is closed with 3506', async (t) => {
    const client = await t.connect();
    const channel = t.channel();
    client.socket.send(
      JSON.stringify({ id: 2, subscribe: { channel, token: t.subToken(channel, { b64data: BINARY }) } }),
    );
    expect(await client.closed()).toEqual(INAPPROPRIATE);
  }),
  row('client 91d', 'a JSON client whose connect result holds binary data is closed with 3506', async (t) => {
    const client = await t.open();
    const claims = { subs: { [t.channel()]: { b64data: BINARY } } };
    client.socket.send(JSON.stringify({ id: 1, connect: t.connectRequest({ claims }) }));
    expect(await client.closed()).toEqual(INAPPROPRIATE);
    expect(client.socket.frames).toEqual([]);
  }),
  row('client 91e', 'a JSON client that reads a presence with binary info is closed with 3506', async (t) => {
    const binary = await t.connect({ claims: { b64info: BINARY } });
    await binary.subscribe(t.channel('prs'));
    const client = await t.connect();
    client.socket.send(JSON.stringify({ id: 2, presence: { channel: t.channel('prs') } }));
    expect(await client.closed()).toEqual(INAPPROPRIATE);
  }),
  row('client 91f', 'an empty payload reaches JSON clients as a publication without data', async (t) => {
    const client = await t.connect();
    const channel = t.channel('bin');
    await client.subscribe(channel);
    expect(await client.call({ publish: { channel } })).toEqual({ id: 3, publish: {} });
    expect(await client.push()).toEqual({ channel, pub: { info: { user: t.user, client: client.id } } });
  }),
];
