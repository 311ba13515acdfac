import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NO_ANSWER, startBackend, type Backend } from '../harness/backend.ts';
import type { Deployment } from '../harness/deployment.ts';
import { startCluster } from '../harness/cluster.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually, within } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';
import { RawClient } from '../harness/raw-client.ts';
import { probeHealth } from '../harness/start-process.ts';

const ANSWERS: Readonly<Record<string, unknown>> = {
  'chat:open': { result: { info: { seat: 7 }, data: { hello: 'there' } } },
  'chat:closed': { error: { code: 403, message: 'members only' } },
  'chat:out': { disconnect: { code: 4500, reason: 'go away' } },
  'chat:broken': { status: 500 },
  'chat:silent': NO_ANSWER,
};
const TEMPORARY = { id: expect.any(Number), error: { code: 100, message: 'internal server error', temporary: true } };

const startApp = (): Promise<Backend> => startBackend(({ body }) => ANSWERS[String(body['channel'])] ?? { result: {} });

const configFor = ({ url }: Backend): Record<string, unknown> => ({
  channel: {
    proxy: { subscribe: { endpoint: `${url}/subscribe`, timeout: '500ms' } },
    without_namespace: { allow_subscribe_for_client: true },
    namespaces: [{ name: 'chat', subscribe_proxy_enabled: true, allow_subscribe_for_client: true, presence: true }],
  },
});

async function rawClient(server: Deployment, gateway = 0): Promise<RawClient> {
  const client = await RawClient.open(server.wsUrl(gateway));
  await client.connect({ token: server.token('ann') });
  return client;
}

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let backend: Backend;
  let server: Deployment;
  const clients: OfficialClient[] = [];

  beforeAll(async () => {
    backend = await startApp();
    server = await start({ config: configFor(backend) });
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
    await backend.stop();
  });

  it('what the backend allows is subscribed, with its info and data', async () => {
    const client = openOfficialClient({ url: server.wsUrl(), token: server.token('ann') });
    clients.push(client);
    await client.connect();
    const subscription = client.client.newSubscription('chat:open');
    const subscribed = new Promise<unknown>((resolve) => subscription.once('subscribed', ({ data }) => resolve(data)));
    subscription.subscribe();
    expect(await within(subscribed, 10_000, 'subscribed')).toEqual({ hello: 'there' });
    await eventually(async () => {
      const { body } = await server.api('presence', { channel: 'chat:open' });
      expect(Object.values(body.result?.['presence'] ?? {})).toMatchObject([{ user: 'ann', chan_info: { seat: 7 } }]);
    });
  });

  it('what the backend denies is denied, with its code', async () => {
    const client = await rawClient(server, 1);
    expect(await client.subscribe('chat:closed')).toMatchObject({ error: { code: 403, message: 'members only' } });
    client.socket.send('{"id":9,"subscribe":{"channel":"chat:out"}}');
    expect(await client.closed()).toEqual({ code: 4500, reason: 'go away' });
  });

  it('a backend that is broken or silent means no, within its deadline', async () => {
    const client = await rawClient(server);
    expect(await client.subscribe('chat:broken')).toEqual(TEMPORARY);
    const askedAt = performance.now();
    expect(await client.subscribe('chat:silent')).toEqual(TEMPORARY);
    expect(performance.now() - askedAt).toBeLessThan(4_000);
    client.socket.close();
  });

  it('a backend that is gone means no, and channels without a proxy go on', async () => {
    const app = await startApp();
    const other = await start({ config: configFor(app) });
    try {
      await app.stop();
      const client = await rawClient(other);
      expect(await client.subscribe('chat:open')).toEqual(TEMPORARY);
      expect(await client.subscribe('plain')).toMatchObject({ subscribe: {} });
      client.socket.close();
    } finally {
      await other.stop();
    }
  });
});

describe('cluster', () => {
  it('one auth-policy of two can die; without any, proxied subscribes fail closed and all else goes on', async () => {
    const backend = await startApp();
    const server = await startCluster({ config: configFor(backend), authPolicies: 2 });
    try {
      const client = await rawClient(server);
      expect(await client.subscribe('chat:1')).toMatchObject({ subscribe: {} });
      await server.authPolicies[0]?.kill();
      await eventually(async () => {
        const reply = await client.subscribe(`chat:${Math.random()}`);
        expect(reply).toMatchObject({ subscribe: {} });
      });
      await server.authPolicies[1]?.kill();
      const askedAt = performance.now();
      expect(await client.subscribe('chat:2')).toEqual(TEMPORARY);
      expect(performance.now() - askedAt).toBeLessThan(5_000);
      expect(await client.subscribe('plain')).toMatchObject({ subscribe: {} });
      await server.api('publish', { channel: 'chat:1', data: 'still here' });
      expect((await client.publication()).data).toBe('still here');
      expect(await probeHealth(server.gatewayUrl())).toMatch(/^200/);
      client.socket.close();
    } finally {
      await server.stop();
      await backend.stop();
    }
  });
});
