import { afterAll, beforeAll, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { startStandalone } from '../harness/standalone.ts';
import { churn, garbage, halfOpen, slowReaders } from './abuse.ts';
import { metricOf, usageOf, type Usage } from './process-usage.ts';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? '3');
/** uWebSockets.js and Node give up on requests that do not come after 10 s and up to a minute. */
const SETTLE_MS = 90_000;
/** Keep-alive connections of the test's own calls. */
const SPARE_HANDLES = 12;
/** What the heap and the allocator may keep after the first round, and for ever. */
const SPARE_RSS_BYTES = 80 * 1024 * 1024;

let server: Deployment;
let ports: number[];

beforeAll(async () => {
  const [grpcPort, internalPort] = [await freePort(), await freePort()];
  server = await startStandalone({
    client: { stale_close_delay: '2s', queue_max_size: 262_144 },
    sse: { enabled: true },
    http_stream: { enabled: true },
    uni_grpc: { enabled: true, port: grpcPort },
    uni_sse: { enabled: true },
    grpc_api: { enabled: true, port: internalPort },
    channel: {
      without_namespace: { allow_subscribe_for_client: true, presence: true, history_size: 10, history_ttl: '5s' },
    },
    log: { level: 'error' },
  });
  ports = [server.gateways[0]?.port ?? 0, grpcPort];
});
afterAll(async () => server.stop());

it(
  'churn, half-open sockets, garbage and slow readers leave nothing behind',
  async () => {
    const fresh = usageOf(server.gateways[0]?.pid ?? 0);
    await round();
    const baseline = await settled(fresh.handles);
    const usages: Usage[] = [];
    for (const endAt = performance.now() + MINUTES * 60_000; performance.now() < endAt;) {
      await round();
      usages.push(await settled(fresh.handles));
    }
    const last = usages.at(-1) ?? baseline;
    console.info(`soak: ${usages.length} rounds, ${describeUsage(baseline)} before, ${describeUsage(last)} after`);
    expect(last.rssBytes).toBeLessThan(baseline.rssBytes + SPARE_RSS_BYTES);
    expect(server.gateways[0]?.output()).not.toMatch(/uncaught|unhandled|TypeError/i);
  },
  (MINUTES + 5) * 60_000,
);

async function round(): Promise<void> {
  await churn(server, 300);
  const open = await halfOpen(server, ports, 40);
  await garbage(server, ports, 60);
  await slowReaders(server, 5);
  // Half of the half-open go by themselves; the others are the server's to end.
  for (const [index, socket] of open.entries()) if (index % 2 === 0) socket.destroy();
}

/** What is held when every connection is gone. */
async function settled(handles: number): Promise<Usage> {
  const { url, pid } = server.gateways[0] ?? { url: '', pid: 0 };
  return eventually(async () => {
    expect(await metricOf(url, 'carillon_gateway_connections')).toBe(0);
    expect(await metricOf(url, 'carillon_node_num_clients')).toBe(0);
    expect(await metricOf(url, 'carillon_node_num_subscriptions')).toBe(0);
    const usage = usageOf(pid);
    expect(usage.handles).toBeLessThanOrEqual(handles + SPARE_HANDLES);
    return usage;
  }, SETTLE_MS);
}

function describeUsage({ rssBytes, handles }: Usage): string {
  return `${Math.round(rssBytes / 1024 / 1024)} MiB and ${handles} handles`;
}
