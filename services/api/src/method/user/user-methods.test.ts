import type { ConnectionSummary } from '@carillon/cluster';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { grpcCall } from '../../fixture/grpc-call.ts';
import { call, post } from '../../fixture/http-call.ts';
import { startApi, type RunningApi } from '../../fixture/start-api.ts';

const BAD_REQUEST = { error: { code: 107, message: 'bad request' } };
const CONNECTION: ConnectionSummary = {
  appName: 'js',
  appVersion: '1.2',
  transport: 'websocket',
  protocol: 'json',
  user: 'u',
  connectedAt: 1_700_000_000_500.7,
  roundTripMs: -1,
  channels: new Map([['news', 3]]),
  connectionToken: { uid: 'id', issuedAt: 1_700_000_000 },
  subscriptionTokens: new Map([['news', { uid: 'sub', issuedAt: 0 }]]),
  meta: new TextEncoder().encode('{"a": 1}'),
};

describe('methods about users', () => {
  let api: RunningApi;
  let nowS: number;
  beforeAll(async () => {
    api = await startApi({ grpc_api: { enabled: true, key: 'k' } });
    nowS = Math.floor(api.clock.now() / 1_000);
  });
  beforeEach(() => {
    api.node.channels = new Map();
    api.node.connections = new Map();
  });
  afterAll(() => api.close());

  it.each([
    ['connections', {}],
    ['connections', { user: '' }],
    ['connections', { user: 'u', expression: 'true' }],
    ['connections', { expression: 'true' }],
    ['connections', { user: 'u', label_filter: { key: 'a', cmp: 'eq', val: 'b' } }],
    ['update_user_status', { state: 'x' }],
    ['update_user_status', { users: ['a', ''] }],
    ['update_user_status', { users: ['x'.repeat(1_025)] }],
    ['update_user_status', { users: ['a'], state: 'x'.repeat(1_025) }],
    ['get_user_status', {}],
    ['get_user_status', { users: Array.from({ length: 1_001 }, (_, i) => `${i}`) }],
    ['delete_user_status', { users: [] }],
  ])('refuse %s of %j', async (method, request) => {
    expect(await call(api, method, request)).toEqual(BAD_REQUEST);
  });

  it('connections shows each live connection of the user', async () => {
    api.node.connections = new Map([
      ['client', CONNECTION],
      ['other', { ...CONNECTION, user: 'v' }],
    ]);
    expect(await call(api, 'connections', { user: 'u' })).toEqual({
      result: {
        connections: {
          client: {
            app_name: 'js',
            app_version: '1.2',
            transport: 'websocket',
            protocol: 'json',
            user: 'u',
            state: {
              channels: { news: { source: 3 } },
              connection_token: { uid: 'id', issued_at: 1_700_000_000 },
              subscription_tokens: { news: { uid: 'sub' } },
              meta: { a: 1 },
            },
            connected_at_ms: 1_700_000_000_500,
            ping_pong_latency_ms: -1,
          },
        },
      },
    });
    expect(await call(api, 'connections', { user: 'nobody' })).toEqual({ result: { connections: {} } });
  });

  it('a status is active when it was updated, online while its user is connected, and in the order asked', async () => {
    expect(await call(api, 'update_user_status', { users: ['b', 'a'], state: 'away' })).toEqual({ result: {} });
    api.node.connections = new Map([['client', { ...CONNECTION, user: 'c', connectedAt: (nowS + 5) * 1_000 }]]);
    expect(await call(api, 'get_user_status', { users: ['c', 'a', 'nobody'] })).toEqual({
      result: {
        statuses: [
          { user: 'c', active: nowS + 5, online: nowS },
          { user: 'a', active: nowS, state: 'away' },
          { user: 'nobody' },
        ],
      },
    });
  });

  it('a status that was deleted is as if it never was', async () => {
    await call(api, 'update_user_status', { users: ['d'], state: 'x' });
    expect(await call(api, 'delete_user_status', { users: ['d', 'e'] })).toEqual({ result: {} });
    expect(await call(api, 'get_user_status', { users: ['d'] })).toEqual({ result: { statuses: [{ user: 'd' }] } });
  });

  it('are there in batches, by their old numbers and over gRPC', async () => {
    const commands = [
      { update_user_status: { users: ['f'] } },
      { connections: {} },
      { get_user_status: { users: ['f'] } },
    ];
    expect(await call(api, 'batch', { commands })).toMatchObject({
      replies: [
        { update_user_status: {} },
        { error: { code: 107 } },
        { get_user_status: { statuses: [{ user: 'f', active: nowS }] } },
      ],
    });
    const { text } = await post(api, '/api', '{"id":1,"method":14,"params":{"user":"f"}}');
    expect(text).toBe('{"id":1,"result":{"connections":{}}}');
    expect(await grpcCall(api.grpcAddress, 'getUserStatus', { users: ['f'] })).toMatchObject({
      response: { result: { statuses: [{ user: 'f' }] } },
    });
  });

  it('answer 100 when a node does not, or when statuses can not be kept', async () => {
    api.node.channels = new Error('away');
    expect((await call(api, 'connections', { user: 'u' })).error?.code).toBe(100);
    expect((await call(api, 'get_user_status', { users: ['u'] })).error?.code).toBe(100);
    const other = await startApi();
    await other.userStatus.close();
    expect((await call(other, 'update_user_status', { users: ['u'] })).error?.code).toBe(100);
    await other.close();
  });
});
