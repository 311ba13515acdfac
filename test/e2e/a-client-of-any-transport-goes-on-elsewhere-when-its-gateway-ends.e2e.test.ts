import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import type { Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import type { OfficialClient, Recording } from '../harness/official-client.ts';
import { openTransportClient, TRANSPORTS } from '../harness/official-transports.ts';
import { startTcpFront, type TcpFront } from '../harness/tcp-front.ts';

const GATEWAYS = 3;
const CLIENTS = TRANSPORTS.length * GATEWAYS * 2;
const BACK_WITHIN_MS = 40_000;

const config = {
  shutdown: { timeout: '10s' },
  http_stream: { enabled: true },
  sse: { enabled: true },
  channel: {
    without_namespace: {
      allow_subscribe_for_client: true,
      presence: true,
      history_size: 500,
      history_ttl: '300s',
      force_recovery: true,
    },
  },
};

describe('cluster', () => {
  let server: Deployment;
  let front: TcpFront;
  const clients: { client: OfficialClient; recording: Recording }[] = [];
  let sent = 0;

  beforeAll(async () => {
    server = await startCluster({ config, gateways: GATEWAYS });
    front = await startTcpFront(server.gateways.map(({ port }) => port));
    for (let n = 0; n < CLIENTS; n += 1) {
      const kind = TRANSPORTS[n % TRANSPORTS.length] ?? { transport: 'websocket', encoding: 'json' };
      const client = openTransportClient({ ...kind, port: front.port, token: server.token(`u${n}`) });
      await client.connect();
      clients.push({ client, recording: await client.subscribe('news') });
    }
  });
  afterAll(async () => {
    for (const { client } of clients) client.close();
    await front.stop();
    await server.stop();
  });

  const publish = async (count: number): Promise<void> => {
    for (let nth = 0; nth < count; nth += 1) {
      const data = (sent += 1);
      const { body } = await server.api('publish', { channel: 'news', data });
      expect(body).toHaveProperty('result.offset', data);
    }
  };
  /** Ends a gateway amid publications. */
  const endAmid = async (end: () => unknown): Promise<void> => {
    await publish(5);
    const publishing = publish(30);
    await end();
    await publishing;
    await publish(5);
  };
  const expectAllGotAll = async (): Promise<void> => {
    const all = Array.from({ length: sent }, (_value, at) => at + 1);
    for (const { client, recording } of clients) {
      await eventually(() => expect(recording.publications.length).toBeGreaterThanOrEqual(sent), BACK_WITHIN_MS);
      expect(recording.publications).toEqual(all);
      expect(client.events.filter((event) => event.startsWith('disconnected'))).toEqual([]);
      expect(recording.events).not.toContain('not recovered');
    }
    await eventually(async () => {
      const { body } = await server.api('presence_stats', { channel: 'news' });
      expect(body.result).toEqual({ num_clients: CLIENTS, num_users: CLIENTS });
    }, BACK_WITHIN_MS);
  };

  it('in order: everybody is told to come back, and gets everything once', { timeout: 120_000 }, async () => {
    await endAmid(() => server.gateways[0]?.signal('SIGTERM'));
    await expectAllGotAll();
  });

  it('or by a crash', { timeout: 120_000 }, async () => {
    await endAmid(() => server.killGateway(1));
    await expectAllGotAll();
  });
});
