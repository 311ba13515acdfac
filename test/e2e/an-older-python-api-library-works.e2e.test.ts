import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { API_KEY, type Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';
import { installPythonPackage, startPythonScript, type LineProcess } from '../harness/python-library.ts';

const SCRIPT = fileURLToPath(new URL('python/call-cent-4.py', import.meta.url));
const INSTALL_DEADLINE_MS = 240_000;
const stored = { allow_subscribe_for_client: true, presence: true, history_size: 10, history_ttl: '300s' };
const config = { channel: { without_namespace: stored } };

interface Answer {
  readonly results?: readonly unknown[];
  readonly error?: { readonly kind: string; readonly detail: unknown };
}

// Libraries of before 2023 know the legacy endpoint only, as PHP's and Go's of that time do.
describe.each(DEPLOYMENTS)('cent 4.1 on $kind', ({ start }) => {
  let server: Deployment;
  let library: LineProcess;
  const clients: OfficialClient[] = [];

  beforeAll(async () => {
    const python = await installPythonPackage('cent', '4.1.*');
    server = await start({ config });
    library = startPythonScript(python, SCRIPT, [`${server.apiUrl()}/api`, API_KEY]);
  }, INSTALL_DEADLINE_MS);
  afterAll(async () => {
    for (const client of clients) client.close();
    await library?.stop();
    await server?.stop();
  });

  const call = async (...calls: readonly (readonly [method: string, args: object])[]): Promise<Answer> =>
    (await library.ask({ calls })) as Answer;

  /** On another node than the one that the library talks to, where there is one. */
  const connect = async (user: string): Promise<OfficialClient> => {
    const client = openOfficialClient({ url: server.wsUrl(1), token: server.token(user) });
    clients.push(client);
    await client.connect();
    return client;
  };

  it('publishes to subscribers, and reads what it published', async () => {
    const client = await connect('reader');
    const { publications } = await client.subscribe('news');
    const [first] = (await call(['publish', { channel: 'news', data: { n: 1 } }])).results ?? [];
    expect(first).toEqual({ offset: 1, epoch: expect.any(String) });
    const { results } = await call(['broadcast', { channels: ['news', 'no:x'], data: { n: 2 } }]);
    expect(results).toMatchObject([{ responses: [{ result: { offset: 2 } }, { error: { code: 102 } }] }]);
    await eventually(() => expect(publications).toEqual([{ n: 1 }, { n: 2 }]));
    const history = await call(['history', { channel: 'news', limit: 1, reverse: true }]);
    expect(history.results).toMatchObject([{ publications: [{ data: { n: 2 }, offset: 2 }], offset: 2 }]);
    expect((await call(['history_remove', { channel: 'news' }])).results).toHaveLength(1);
    expect((await call(['history', { channel: 'news', limit: 10 }])).results).toMatchObject([
      { publications: [], offset: 2 },
    ]);
  });

  it('sees who is there', async () => {
    await (await connect('watched')).subscribe('room');
    await eventually(async () => {
      const [presence] = (await call(['presence', { channel: 'room' }])).results ?? [];
      expect(Object.values(presence as object)).toMatchObject([{ user: 'watched' }]);
    });
    expect((await call(['presence_stats', { channel: 'room' }])).results).toEqual([{ num_clients: 1, num_users: 1 }]);
    expect((await call(['channels', { pattern: 'roo*' }])).results).toEqual([{ room: { num_clients: 1 } }]);
    expect((await call(['info', {}])).results).toMatchObject([{ nodes: expect.any(Array) }]);
  });

  it('subscribes, unsubscribes and disconnects users', async () => {
    const { client, events } = await connect('steered');
    const channels: string[] = [];
    client.on('subscribed', ({ channel }) => channels.push(`subscribed ${channel}`));
    client.on('unsubscribed', ({ channel }) => channels.push(`unsubscribed ${channel}`));
    await call(['subscribe', { user: 'steered', channel: 'given' }]);
    await eventually(() => expect(channels).toEqual(['subscribed given']));
    await call(['unsubscribe', { user: 'steered', channel: 'given' }]);
    await eventually(() => expect(channels.at(-1)).toBe('unsubscribed given'));
    await call(['disconnect', { user: 'steered' }]);
    await eventually(() => expect(events.at(-1)).toBe('disconnected 3503'));
  });

  it('sends several commands in one request', async () => {
    const channel = 'many';
    const { results } = await call(
      ['publish', { channel, data: 1 }],
      ['publish', { channel: 'no:x', data: 1 }],
      ['publish', { channel, data: 2 }],
      ['history', { channel, limit: 10 }],
      ['presence_stats', { channel }],
    );
    expect(results).toMatchObject([
      { result: { offset: 1 } },
      { error: { code: 102, message: 'unknown channel' } },
      { result: { offset: 2 } },
      { result: { publications: [{ data: 1 }, { data: 2 }] } },
      { result: { num_clients: 0, num_users: 0 } },
    ]);
  });

  it('is told what is wrong', async () => {
    const refused = await call(['publish', { channel: 'no:x', data: 1 }]);
    expect(refused.error).toEqual({ kind: 'ResponseError', detail: { code: 102, message: 'unknown channel' } });
    const python = await installPythonPackage('cent', '4.1.*');
    const stranger = startPythonScript(python, SCRIPT, [`${server.apiUrl()}/api`, 'wrong']);
    expect(await stranger.ask({ calls: [['info', {}]] })).toMatchObject({ error: { kind: 'RequestException' } });
    await stranger.stop();
  });
});
