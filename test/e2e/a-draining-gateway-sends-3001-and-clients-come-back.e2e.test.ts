import { afterEach, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { startCluster } from '../harness/cluster.ts';
import { eventually, within } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';
import { RawClient } from '../harness/raw-client.ts';
import { probeHealth } from '../harness/start-process.ts';
import { startTcpFront } from '../harness/tcp-front.ts';

const config = {
  shutdown: { timeout: '10s' },
  channel: { without_namespace: { allow_subscribe_for_client: true } },
};
const END_WITHIN_MS = 15_000;

let stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  it('SIGTERM closes each connection with 3001 and ends the process with 0', async () => {
    const server: Deployment = await start({ config });
    stops.push(() => server.stop());
    const clients = await Promise.all(
      Array.from({ length: 10 }, async (_value, n) => {
        const client = await RawClient.open(server.wsUrl());
        await client.connect({ token: server.token(`u${n}`) });
        await client.subscribe('news');
        return client;
      }),
    );
    const [gateway] = server.gateways;
    gateway?.signal('SIGTERM');
    for (const client of clients) {
      expect(await client.closed(END_WITHIN_MS)).toEqual({ code: 3001, reason: 'shutdown' });
    }
    expect(await within(gateway?.exited ?? Promise.resolve(-1), END_WITHIN_MS, 'exit')).toBe(0);
  });

  it('every service ends with 0 on SIGTERM', async () => {
    const server: Deployment = await start({ config });
    stops.push(() => server.stop());
    const processes = [...new Set([...server.gateways, ...server.apis, ...server.authPolicies])];
    for (const one of processes) one.signal('SIGTERM');
    for (const one of processes) expect(await within(one.exited, END_WITHIN_MS, one.command), one.output()).toBe(0);
  });
});

describe('cluster', () => {
  it('the clients of a draining gateway are taken over by the other one', async () => {
    const server = await startCluster({ config });
    const front = await startTcpFront(server.gateways.map(({ port }) => port));
    const clients: OfficialClient[] = [];
    stops.push(
      () => server.stop(),
      () => front.stop(),
      () => clients.map((client) => client.close()),
    );
    const url = `ws://127.0.0.1:${front.port}/connection/websocket`;
    for (let n = 0; n < 10; n += 1) clients.push(openOfficialClient({ url, token: server.token(`u${n}`) }));
    const recordings = await Promise.all(
      clients.map(async (client) => {
        await client.connect();
        return client.subscribe('news');
      }),
    );
    server.gateways[0]?.signal('SIGTERM');
    await within(server.gateways[0]?.exited ?? Promise.resolve(-1), END_WITHIN_MS, 'exit');
    await eventually(() => {
      for (const { subscription } of recordings) expect(subscription.state).toBe('subscribed');
    }, END_WITHIN_MS);
    expect(clients.some(({ events }) => events.includes('connecting 3001'))).toBe(true);
    expect(clients.every(({ events }) => !events.some((event) => event.startsWith('disconnected')))).toBe(true);
    expect(await probeHealth(server.gatewayUrl(1))).toBe('200 {}');
    await server.api('publish', { channel: 'news', data: 1 });
    for (const { publications } of recordings) await eventually(() => expect(publications).toEqual([1]));
  });
});
