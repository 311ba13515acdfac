import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { RawClient } from '../harness/raw-client.ts';
import { secondsFromNow } from '../harness/token.ts';

/** tokens.md §9.1. */
const EFFECTIVE_MS = 1_000;
const FORCED = { code: 3503, reason: 'force disconnect' };
const INVALID = { code: 3500, reason: 'invalid token' };

const config = { channel: { without_namespace: { allow_subscribe_for_client: true } } };

const connect = async (server: Deployment, gateway: number, token: string): Promise<RawClient> => {
  const client = await RawClient.open(server.wsUrl(gateway));
  await client.connect({ token });
  return client;
};
/** How a connect with the token ends. */
const refusal = async (server: Deployment, gateway: number, token: string): Promise<unknown> => {
  const client = await RawClient.open(server.wsUrl(gateway));
  client.socket.send(JSON.stringify({ id: 1, connect: { token } }));
  return client.closed();
};
const done = async (server: Deployment, method: string, request: object): Promise<void> => {
  expect((await server.api(method, request)).body).toEqual({ result: {} });
};

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let server: Deployment;
  const clients: RawClient[] = [];
  const open = async (gateway: number, token: string): Promise<RawClient> => {
    const client = await connect(server, gateway, token);
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    server = await start({ config });
  });
  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.close();
  });
  afterAll(() => server.stop());

  it('a blocked user loses every connection with 3503 and is refused with 3500, until unblocked', async () => {
    const blocked = [await open(0, server.token('u')), await open(1, server.token('u'))];
    const other = await open(0, server.token('other'));
    await done(server, 'block_user', { user: 'u' });
    for (const client of blocked) expect(await client.closed(EFFECTIVE_MS)).toMatchObject(FORCED);
    expect(await refusal(server, 0, server.token('u'))).toMatchObject(INVALID);
    expect(await refusal(server, 1, server.token('u'))).toMatchObject(INVALID);
    expect((await other.subscribe('a')).subscribe).toBeDefined();
    await done(server, 'unblock_user', { user: 'u' });
    await new Promise((resolve) => void setTimeout(resolve, EFFECTIVE_MS));
    for (const gateway of [0, 1]) expect((await open(gateway, server.token('u'))).id).toBeTypeOf('string');
  });

  it('a block with an end ends by itself', async () => {
    await done(server, 'block_user', { user: 'short', expire_at: secondsFromNow(2) });
    expect(await refusal(server, 0, server.token('short'))).toMatchObject(INVALID);
    await new Promise((resolve) => void setTimeout(resolve, 2_100));
    expect((await open(0, server.token('short'))).id).toBeTypeOf('string');
  });

  it('a revoked token is good nowhere, while others of the user are', async () => {
    const stolen = server.token('v', { jti: 'stolen' });
    const clients = [await open(0, stolen), await open(1, stolen)];
    const own = await open(1, server.token('v', { jti: 'own' }));
    await done(server, 'revoke_token', { uid: 'stolen', expire_at: secondsFromNow(600) });
    for (const client of clients) expect(await client.closed(EFFECTIVE_MS)).toMatchObject(FORCED);
    expect(await refusal(server, 1, stolen)).toMatchObject(INVALID);
    expect((await own.subscribe('a')).subscribe).toBeDefined();
  });

  it('older tokens of a user are invalidated, newer ones are not', async () => {
    const older = await open(0, server.token('w', { iat: secondsFromNow(-60) }));
    const timeless = await open(1, server.token('w'));
    await done(server, 'invalidate_user_tokens', { user: 'w' });
    for (const client of [older, timeless]) expect(await client.closed(EFFECTIVE_MS)).toMatchObject(FORCED);
    expect((await open(1, server.token('w', { iat: secondsFromNow(1) }))).id).toBeTypeOf('string');
  });

  it('tokens invalidated for a channel end its subscriptions alone', async () => {
    const client = await open(1, server.token('x', { iat: secondsFromNow(-60) }));
    for (const channel of ['news', 'sport']) {
      const token = server.subToken('x', channel, { iat: secondsFromNow(-60) });
      expect((await client.subscribe(channel, { token })).subscribe).toBeDefined();
    }
    await done(server, 'invalidate_user_tokens', { user: 'x', channel: 'news' });
    const push = await client.push(EFFECTIVE_MS);
    expect(push).toEqual({ channel: 'news', unsubscribe: { code: 2000, reason: 'server unsubscribe' } });
    await done(server, 'publish', { channel: 'sport', data: 1 });
    expect(await client.push()).toMatchObject({ channel: 'sport', pub: { data: 1 } });
  });
});

describe('restarts', () => {
  let nats: TestNats;

  beforeAll(async () => {
    nats = await startNats({ exclusive: true });
  });
  afterAll(() => nats.stop());

  it('who is blocked when everything is restarted, NATS by a power cut, stays blocked', async () => {
    const options = { config, nats, prefix: 'restarted' };
    const before = await startCluster(options);
    await done(before, 'block_user', { user: 'u' });
    await done(before, 'revoke_token', { uid: 'stolen' });
    await before.stop();
    await nats.kill9();
    await nats.restart();
    const after = await startCluster(options);
    try {
      for (const gateway of [0, 1]) {
        expect(await refusal(after, gateway, after.token('u'))).toMatchObject(INVALID);
        expect(await refusal(after, gateway, after.token('v', { jti: 'stolen' }))).toMatchObject(INVALID);
      }
      const good = await connect(after, 0, after.token('v'));
      expect(good.id).toBeTypeOf('string');
      good.socket.close();
    } finally {
      await after.stop();
    }
  });
});
