import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { deploymentOf } from '../harness/deployment.ts';
import { eventually, within } from '../harness/eventually.ts';
import { ENCODINGS, openOfficialClient, type OfficialClient, type Recording } from '../harness/official-client.ts';
import { BASE_CONFIG, mergeConfig } from '../harness/standalone.ts';
import { startProcess, type Config, type ServerProcess } from '../harness/start-process.ts';
import { startTcpFront, type TcpFront } from '../harness/tcp-front.ts';

const CLIENTS = 40;
const CHANNELS = ['north', 'east', 'south', 'west'];
const PUBLISH_EVERY_MS = 10;
/** After the last restart. */
const SETTLE_MS = 30_000;

let nats: TestNats;
let config: Config;
let gateways: ServerProcess[];
let api: ServerProcess;
let front: TcpFront;
const clients: OfficialClient[] = [];

beforeAll(async () => {
  nats = await startNats();
  config = mergeConfig(BASE_CONFIG, {
    nats: { url: nats.url, prefix: `r${randomBytes(5).toString('hex')}` },
    client: { allowed_origins: ['*'] },
    gateway: { drain_window: '2s' },
    channel: {
      without_namespace: {
        allow_subscribe_for_client: true,
        history_size: 5000,
        history_ttl: '300s',
        force_recovery: true,
      },
    },
  });
  gateways = [await start('gateway'), await start('gateway')];
  api = await start('api');
  front = await startTcpFront(gateways.map(({ port }) => port));
});

afterAll(async () => {
  for (const client of clients) client.close();
  await front.stop();
  await Promise.all([...gateways, api].map((server) => server.stop()));
  await nats.stop();
});

it('a rolling restart of all gateways under load loses and doubles nothing', async () => {
  const server = deploymentOf({ kind: 'cluster', gateways, apis: [api], stop: async () => undefined });
  const recordings: Recording[] = [];
  for (let index = 0; index < CLIENTS; index += 1) {
    const encoding = ENCODINGS[index % ENCODINGS.length] ?? 'json';
    const url = `ws://127.0.0.1:${front.port}/connection/websocket`;
    clients.push(openOfficialClient({ url, encoding, token: server.token(`u${index}`) }));
  }
  await Promise.all(clients.map((client) => client.connect()));
  for (const client of clients) {
    for (const channel of CHANNELS) recordings.push(await client.subscribe(channel));
  }
  const published = new Map(CHANNELS.map((channel) => [channel, 0]));
  const rolled = new AbortController();
  const publishing = (async () => {
    while (!rolled.signal.aborted) {
      for (const channel of CHANNELS) {
        const n = (published.get(channel) ?? 0) + 1;
        const { body } = await server.api('publish', { channel, data: { n } });
        expect(body.error).toBeUndefined();
        published.set(channel, n);
      }
      await sleep(PUBLISH_EVERY_MS);
    }
  })();
  for (const [index, gateway] of gateways.entries()) {
    gateway.signal('SIGTERM');
    expect(await within(gateway.exited, 30_000, 'the end of a gateway')).toBe(0);
    gateways[index] = await start('gateway', gateway.port);
  }
  rolled.abort();
  await publishing;
  expect(Math.min(...published.values())).toBeGreaterThan(20);
  await eventually(() => {
    for (const { subscription, offsets, publications } of recordings) {
      const count = published.get(subscription.channel) ?? 0;
      expect(publications).toEqual(Array.from({ length: count }, (_, at) => ({ n: at + 1 })));
      expect(offsets).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    }
  }, SETTLE_MS);
  const events = recordings.flatMap((recording) => recording.events);
  expect(events).not.toContain('not recovered');
  // Every client was moved at least once.
  for (const { events: moves } of clients)
    expect(moves.filter((event) => event === 'connected').length).toBeGreaterThan(1);
});

function start(command: 'gateway' | 'api', port?: number): Promise<ServerProcess> {
  return startProcess({ command, config, port });
}
