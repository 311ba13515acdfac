import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { API_KEY, type Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient, type Recording } from '../harness/official-client.ts';
import { installPythonPackage, startPythonScript, type LineProcess } from '../harness/python-library.ts';

const SCRIPT = fileURLToPath(new URL('python/call-cent.py', import.meta.url));
const INSTALL_DEADLINE_MS = 240_000;
const config = {
  channel: {
    without_namespace: { allow_subscribe_for_client: true },
    namespaces: [
      {
        name: 'chat',
        allow_subscribe_for_client: true,
        presence: true,
        history_size: 10,
        history_ttl: '300s',
      },
    ],
  },
};

interface Answer {
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly kind: string; readonly code?: number; readonly message?: string };
}

describe.each(DEPLOYMENTS)('cent 5.2 on $kind', ({ kind, start }) => {
  let server: Deployment;
  let library: LineProcess;
  const clients: OfficialClient[] = [];

  beforeAll(async () => {
    const python = await installPythonPackage('cent', '5.2.*');
    server = await start({ config });
    library = startPythonScript(python, SCRIPT, [`${server.apiUrl()}/api`, API_KEY]);
  }, INSTALL_DEADLINE_MS);
  afterAll(async () => {
    for (const client of clients) client.close();
    await library?.stop();
    await server?.stop();
  });

  const call = async (method: string, request: object = {}, isAsync = false): Promise<Answer> =>
    (await library.ask({ method, request, is_async: isAsync })) as Answer;

  /** On another node than the one that the library talks to, where there is one. */
  const connect = async (user: string, gateway = 1): Promise<OfficialClient> => {
    const client = openOfficialClient({ url: server.wsUrl(gateway), token: server.token(user) });
    clients.push(client);
    await client.connect();
    return client;
  };
  const subscriber = async (user: string, channel: string): Promise<Recording> =>
    (await connect(user)).subscribe(channel);

  it.each([false, true])('publish, broadcast (async: %s)', async (isAsync) => {
    const channel = `chat:publish-${String(isAsync)}`;
    const { publications } = await subscriber('publisher', channel);
    const first = await call('publish', { channel, data: { n: 1 }, idempotency_key: 'k', tags: { a: 'b' } }, isAsync);
    expect(first.result).toEqual({ offset: 1, epoch: expect.any(String) });
    expect(await call('publish', { channel, data: { n: 1 }, idempotency_key: 'k' }, isAsync)).toEqual(first);
    const { result } = await call('broadcast', { channels: [channel, 'x:y'], data: { n: 2 } }, isAsync);
    expect(result).toMatchObject({ responses: [{ result: { offset: 2 } }, { error: { code: 102 } }] });
    await eventually(() => expect(publications).toEqual([{ n: 1 }, { n: 2 }]));
  });

  it('subscribe, unsubscribe', async () => {
    const { client } = await connect('member');
    const events: string[] = [];
    client.on('subscribed', ({ channel }) => events.push(`subscribed ${channel}`));
    client.on('publication', ({ data }) => events.push(`got ${String(data)}`));
    client.on('unsubscribed', ({ channel }) => events.push(`unsubscribed ${channel}`));
    const request = { user: 'member', channel: 'forced', override: { presence: { value: true } } };
    expect(await call('subscribe', request)).toEqual({ result: {} });
    await eventually(() => expect(events).toEqual(['subscribed forced']));
    await call('publish', { channel: 'forced', data: 'hello' });
    await eventually(() => expect(events).toContain('got hello'));
    expect(await call('unsubscribe', { user: 'member', channel: 'forced' })).toEqual({ result: {} });
    await eventually(() => expect(events.at(-1)).toBe('unsubscribed forced'));
  });

  it('presence, presence_stats', async () => {
    const channel = 'chat:presence';
    for (const user of ['one', 'two', 'two']) await subscriber(user, channel);
    const { result } = await call('presence', { channel });
    const infos = Object.values((result?.['presence'] ?? {}) as Record<string, { user: string }>);
    expect(infos.map(({ user }) => user).sort()).toEqual(['one', 'two', 'two']);
    expect(await call('presence_stats', { channel })).toEqual({ result: { num_clients: 3, num_users: 2 } });
    expect((await call('presence', { channel: 'off' })).error).toEqual({
      kind: 'api',
      code: 108,
      message: 'not available',
    });
  });

  it('history, history_remove', async () => {
    const channel = 'chat:history';
    for (const data of [1, 2, 3]) await call('publish', { channel, data });
    const newest = await call('history', { channel, limit: 2, reverse: true });
    expect(newest.result).toMatchObject({ publications: [{ data: 3, offset: 3 }, { data: 2 }], offset: 3 });
    const epoch = newest.result?.['epoch'];
    const since = await call('history', { channel, limit: -1, since: { offset: 1, epoch } });
    expect(since.result).toMatchObject({ publications: [{ offset: 2 }, { offset: 3 }] });
    expect((await call('history', { channel, since: { offset: 1, epoch: 'other' } })).error?.code).toBe(112);
    expect(await call('history_remove', { channel })).toEqual({ result: {} });
    expect((await call('history', { channel, limit: -1 })).result).toEqual({ publications: [], offset: 3, epoch });
  });

  it('disconnect, refresh', async () => {
    const gone = await connect('gone');
    const request = { user: 'gone', disconnect: { code: 4_501, reason: 'bye' } };
    expect(await call('disconnect', request)).toEqual({ result: {} });
    await eventually(() => expect(gone.events.at(-1)).toBe('disconnected 4501'));
    const expired = await connect('expired');
    expect(await call('refresh', { user: 'expired', expired: true })).toEqual({ result: {} });
    // Code 3005: the client asks for another token and comes back.
    await eventually(() => expect(expired.events).toContain('connecting 3005'));
  });

  it('info, channels', async () => {
    await subscriber('looker', 'list-me');
    const { result } = await call('info');
    expect(result?.['nodes']).toHaveLength(kind === 'cluster' ? 2 : 1);
    const channels = { 'list-me': { num_clients: 1 } };
    expect((await call('channels', { pattern: 'list*' })).result).toEqual({ channels });
  });

  // Without a command that fails: the library itself has no reply for one.
  it('batch', async () => {
    const requests = [
      ['publish', { channel: 'chat:batch', data: 1 }],
      ['presence_stats', { channel: 'chat:batch' }],
      ['info', {}],
    ];
    for (const parallel of [false, true]) {
      const { result } = await call('batch', { requests, parallel });
      expect(result?.['replies']).toMatchObject([
        { offset: expect.any(Number) },
        { num_clients: 0, num_users: 0 },
        { nodes: expect.any(Array) },
      ]);
    }
  });

  it('connections, statuses and bans of users', async () => {
    await connect('known');
    const { result } = await call('connections', { user: 'known', expression: '' });
    expect(Object.values(result?.['connections'] ?? {})).toMatchObject([{ user: 'known', transport: 'websocket' }]);
    expect(await call('update_user_status', { users: ['known'], state: 'busy' })).toEqual({ result: {} });
    const statuses = await call('get_user_status', { users: ['known'] });
    expect(statuses.result).toMatchObject({ statuses: [{ user: 'known', state: 'busy' }] });
    expect(await call('delete_user_status', { users: ['known'] })).toEqual({ result: {} });
    expect(await call('block_user', { user: 'blocked' })).toEqual({ result: {} });
    expect(await call('unblock_user', { user: 'blocked' })).toEqual({ result: {} });
  });

  it('a wrong key', async () => {
    const python = await installPythonPackage('cent', '5.2.*');
    const stranger = startPythonScript(python, SCRIPT, [`${server.apiUrl()}/api`, 'wrong']);
    const answer = await stranger.ask({ method: 'info', request: {} });
    expect(answer).toEqual({ error: { kind: 'CentUnauthorizedError' } });
    await stranger.stop();
  });
});
