import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import type { Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { ENCODINGS, openOfficialClient, type OfficialClient, type Recording } from '../harness/official-client.ts';
import { startTcpFront, type TcpFront } from '../harness/tcp-front.ts';

const CLIENTS = 20;
const BACK_WITHIN_MS = 10_000;

const config = {
  channel: {
    namespaces: [
      { name: 'live', allow_subscribe_for_client: true },
      {
        name: 'kept',
        allow_subscribe_for_client: true,
        history_size: 100,
        history_ttl: '60s',
        force_recovery: true,
        presence: true,
      },
    ],
  },
};

describe('cluster', () => {
  let server: Deployment;
  let front: TcpFront;
  const clients: OfficialClient[] = [];
  const live: Recording[] = [];
  const kept: Recording[] = [];

  beforeAll(async () => {
    server = await startCluster({ config });
    front = await startTcpFront(server.gateways.map(({ port }) => port));
    const url = `ws://127.0.0.1:${front.port}/connection/websocket`;
    for (let n = 0; n < CLIENTS; n += 1) {
      const client = openOfficialClient({ url, encoding: ENCODINGS[n % 2], token: server.token(`u${n}`) });
      clients.push(client);
      await client.connect();
      live.push(await client.subscribe('live:news'));
      kept.push(await client.subscribe('kept:news'));
    }
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await front.stop();
    await server.stop();
  });

  const clientsByNode = async (): Promise<number[]> => {
    const { body } = await server.api('info');
    const nodes = (body.result?.['nodes'] ?? []) as { num_clients: number }[];
    return nodes.map(({ num_clients }) => num_clients).filter((count) => count > 0);
  };

  it('the clients are on both gateways', async () => {
    await eventually(async () => expect(await clientsByNode()).toHaveLength(2), 20_000);
  });

  it('all clients are back on the other gateway within seconds, and missed nothing that was kept', async () => {
    await server.api('publish', { channel: 'kept:news', data: 1 });
    await server.killGateway(0);
    for (const data of [2, 3]) await server.api('publish', { channel: 'kept:news', data });
    await eventually(() => {
      for (const { client } of clients) expect(client.state).toBe('connected');
      for (const { subscription } of [...live, ...kept]) expect(subscription.state).toBe('subscribed');
    }, BACK_WITHIN_MS);
    await server.api('publish', { channel: 'live:news', data: 'after' });
    await server.api('publish', { channel: 'kept:news', data: 4 });
    for (const { publications } of live) await eventually(() => expect(publications).toEqual(['after']));
    for (const { publications } of kept) await eventually(() => expect(publications).toEqual([1, 2, 3, 4]));
    const moved = kept.filter(({ events }) => events.includes('recovered'));
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.length).toBeLessThan(CLIENTS);
  });

  it('presence forgets the dead gateway', async () => {
    await eventually(async () => {
      const { body } = await server.api('presence', { channel: 'kept:news' });
      expect(Object.keys(body.result?.['presence'] ?? {})).toHaveLength(CLIENTS);
    }, 30_000);
  });

  it('info forgets the dead gateway', async () => {
    await eventually(async () => expect(await clientsByNode()).toEqual([CLIENTS]), 30_000);
  });
});
