import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { deploymentOf, type Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { inspectFlags, openInspector, type Inspector } from '../harness/inspector.ts';
import { BASE_CONFIG, mergeConfig } from '../harness/standalone.ts';
import { startProcess, type ServerProcess } from '../harness/start-process.ts';
import { churnStreams, churnWebSockets, garbage, halfOpen, slowReaders } from './abuse.ts';
import { handlesOf, metricsOf, usageOf, type Usage } from './process-usage.ts';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? '6');
/** After the first, which loads code and fills pools. */
const MIN_ROUNDS = 6;
/** uWebSockets.js and gRPC give up on peers that never say what they want after 10 s and up to a minute. */
const SETTLE_MS = 90_000;
/** Growth from round to round. A round has about 2,700 connections: ten bytes of each that stay would be found. */
const MAX_OBJECT_GROWTH_BYTES = 24 * 1024;
/**
 * RSS moves by tens of megabytes with what waits for slow readers and with how the allocators find their free pieces. What never
 * goes below shows what is kept: the lowest of the later half of the rounds may be so much above the lowest of the earlier.
 */
const MAX_RSS_FLOOR_GROWTH_BYTES = 8 * 1024 * 1024;
/** With V8's default of up to 3 x 16 MiB for new objects RSS is so restless that it shows nothing within minutes. */
const QUIET_HEAP = '--max-semi-space-size=2';

let process_: ServerProcess;
let server: Deployment;
let inspector: Inspector;
let ports: number[];

beforeAll(async () => {
  const [uniGrpcPort, apiGrpcPort, inspectPort] = [await freePort(), await freePort(), await freePort()];
  const config = mergeConfig(BASE_CONFIG, {
    client: { stale_close_delay: '2s', queue_max_size: 262_144 },
    sse: { enabled: true },
    http_stream: { enabled: true },
    uni_sse: { enabled: true },
    uni_http_stream: { enabled: true },
    uni_grpc: { enabled: true, port: uniGrpcPort },
    grpc_api: { enabled: true, port: apiGrpcPort },
    channel: {
      without_namespace: { allow_subscribe_for_client: true, presence: true, history_size: 10, history_ttl: '5s' },
    },
    log: { level: 'error' },
  });
  const env = { NODE_OPTIONS: [...inspectFlags(inspectPort), QUIET_HEAP].join(' ') };
  process_ = await startProcess({ command: 'serve', config, env });
  server = deploymentOf({
    kind: 'standalone',
    gateways: [process_],
    apis: [process_],
    stop: () => process_.stop(),
  });
  inspector = await openInspector(inspectPort);
  ports = [process_.port, uniGrpcPort, apiGrpcPort];
});
afterAll(async () => {
  inspector.close();
  await server.stop();
});

describe('an abused server', () => {
  it(
    'holds nothing back of churn, half-open sockets, garbage and slow readers',
    async () => {
      const handles = handlesOf(process_.pid);
      await round();
      await settled(handles);
      const objectsBefore = await inspector.objectBytes();
      const usages = await rounds(handles);
      const objects = ((await inspector.objectBytes()) - objectsBefore) / usages.length;
      const half = Math.ceil(usages.length / 2);
      const rssFloor = lowestRss(usages.slice(half)) - lowestRss(usages.slice(0, half));
      console.info(
        `soak: ${usages.length} rounds; objects grew by ${kibibytes(objects)} a round, the floor of RSS by ${kibibytes(rssFloor)}`,
      );
      expect(objects).toBeLessThan(MAX_OBJECT_GROWTH_BYTES);
      expect(rssFloor).toBeLessThan(MAX_RSS_FLOOR_GROWTH_BYTES);
      expect(process_.output()).not.toMatch(/uncaught|unhandled|TypeError/i);
    },
    (MINUTES + 20) * 60_000,
  );
});

/** What is held after each round. */
async function rounds(handles: number): Promise<Usage[]> {
  const usages: Usage[] = [];
  const endAt = performance.now() + MINUTES * 60_000;
  while (performance.now() < endAt || usages.length < MIN_ROUNDS) {
    await round();
    const usage = await settled(handles);
    usages.push(usage);
    console.info(`soak: round ${usages.length}: ${describeUsage(usage)}`);
  }
  return usages;
}

function lowestRss(usages: readonly Usage[]): number {
  return Math.min(...usages.map(({ rssBytes }) => rssBytes));
}

async function round(): Promise<void> {
  for (let wave = 0; wave < 6; wave += 1) {
    await churnWebSockets(server, 250);
    await churnStreams(server, process_.port, 100);
  }
  const open = await halfOpen(server, ports, 40);
  await garbage(server, ports, 60);
  await slowReaders(server, process_.port, 5);
  // Half of the half-open go by themselves; the others are the server's to end.
  for (const [index, socket] of open.entries()) if (index % 2 === 0) socket.destroy();
}

/** What is held when every connection is gone: no more handles than before the first one came. */
async function settled(handles: number): Promise<Usage> {
  const { url, pid } = process_;
  const names = ['carillon_gateway_connections', 'carillon_node_num_clients', 'carillon_node_num_subscriptions'];
  await eventually(async () => {
    expect(handlesOf(pid)).toBeLessThanOrEqual(handles);
    expect(await metricsOf(url, names)).toEqual([0, 0, 0]);
  }, SETTLE_MS);
  return usageOf(pid, inspector);
}

function describeUsage({ rssBytes, nativeBytes, heapBytes, handles }: Usage): string {
  const memory = `heap ${kibibytes(heapBytes)}, outside of it ${kibibytes(nativeBytes)}, RSS ${kibibytes(rssBytes)}`;
  return `${memory}, ${handles} handles`;
}

function kibibytes(bytes: number): string {
  return `${Math.round(bytes / 1024).toLocaleString('en')} KiB`;
}
