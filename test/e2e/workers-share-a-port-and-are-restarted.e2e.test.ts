import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { deploymentOf, type Deployment } from '../harness/deployment.ts';
import { eventually, within } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';
import { BASE_CONFIG, mergeConfig } from '../harness/standalone.ts';
import { startProcess, type Config, type ServerProcess } from '../harness/start-process.ts';

const CLIENTS = 24;

/** A gateway beside an api, and all services in each worker. */
const COMMANDS = ['gateway', 'serve'] as const;

describe.each(COMMANDS)('carillon %s with two workers', (command) => {
  let nats: TestNats;
  let gateway: ServerProcess;
  let api: ServerProcess | undefined;
  let server: Deployment;
  let opsPort: number;
  let workersConfig: Config;
  const clients: OfficialClient[] = [];
  let publications: unknown[][] = [];

  beforeAll(async () => {
    nats = await startNats();
    const config = mergeConfig(BASE_CONFIG, {
      nats: { url: nats.url, prefix: `w${randomBytes(5).toString('hex')}` },
      channel: {
        without_namespace: {
          allow_subscribe_for_client: true,
          history_size: 1000,
          history_ttl: '60s',
          force_recovery: true,
        },
      },
    });
    opsPort = await portBeforeAnother();
    api = command === 'gateway' ? await startProcess({ command: 'api', config }) : undefined;
    workersConfig = mergeConfig(config, { http_server: { internal_port: opsPort }, gateway: { workers: 2 } });
    gateway = await startProcess({ command, config: workersConfig, isUnawaited: true });
    const stop = async (): Promise<void> => {
      await Promise.all([gateway.stop(), api?.stop()]);
      await nats.stop();
    };
    // Each worker of `serve` has the server API on its internal port; the second is the one that survives.
    const apis = [api ?? { ...gateway, url: `http://127.0.0.1:${opsPort + 1}` }];
    server = deploymentOf({ kind: 'cluster', gateways: [gateway], apis, nats, stop });
    await eventually(async () => expect(await connectionsOf([1, 2])).toEqual([0, 0]), 40_000);
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
  });

  it('spreads connections over its workers, which are nodes of their own', async () => {
    for (let index = 0; index < CLIENTS; index += 1) {
      clients.push(openOfficialClient({ url: server.wsUrl(), token: server.token(`u${index}`) }));
    }
    await Promise.all(clients.map((client) => client.connect()));
    const recordings = await Promise.all(clients.map((client) => client.subscribe('news')));
    publications = recordings.map((recording) => recording.publications);
    const held = await connectionsOf([1, 2]);
    expect(held[0]).toBeGreaterThan(0);
    expect(held[1]).toBeGreaterThan(0);
    expect((held[0] ?? 0) + (held[1] ?? 0)).toBe(CLIENTS);
    const names = await nodeNames(server);
    expect(names.filter((name) => /_\d+-[12]$/.test(name)).length).toBe(2);
    await server.api('publish', { channel: 'news', data: 1 });
    await eventually(() => expect(publications).toEqual(publications.map(() => [1])));
  });

  it('starts a killed worker again, and its clients come back and miss nothing', async () => {
    const before = workersOf(gateway.pid);
    expect(before.length).toBe(2);
    process.kill(before[0] ?? 0, 'SIGKILL');
    await server.api('publish', { channel: 'news', data: 2 });
    await eventually(async () => {
      const now = workersOf(gateway.pid);
      expect(now.length).toBe(2);
      expect(now).not.toContain(before[0]);
      expect((await connectionsOf([1, 2])).length).toBe(2);
    }, 20_000);
    await server.api('publish', { channel: 'news', data: 3 });
    await eventually(() => expect(publications).toEqual(publications.map(() => [1, 2, 3])), 20_000);
  });

  it('drains every worker at SIGTERM, and exits 0', async () => {
    const pids = workersOf(gateway.pid);
    gateway.signal('SIGTERM');
    expect(await within(gateway.exited, 20_000, 'the end of the gateway')).toBe(0);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await eventually(() =>
      expect(clients.map(({ events }) => events.at(-1))).toEqual(clients.map(() => expect.any(String))),
    );
    for (const { events } of clients) expect(events.some((event) => event.startsWith('connecting'))).toBe(true);
  });

  it('gives up when workers end again and again', async () => {
    await gateway.stop();
    const doomed = await startProcess({ command, config: workersConfig, isUnawaited: true });
    await eventually(async () => expect(await connectionsOf([1, 2])).toEqual([0, 0]), 60_000);
    const killing = setInterval(() => {
      for (const pid of childrenOf(doomed.pid)) process.kill(pid, 'SIGKILL');
    }, 100);
    const code = await within(doomed.exited, 100_000, 'the end of the supervisor').finally(() =>
      clearInterval(killing),
    );
    expect(code).toBe(1);
    expect(doomed.output()).toContain('workers end again and again');
  }, 180_000);

  async function connectionsOf(workers: readonly number[]): Promise<number[]> {
    return Promise.all(
      workers.map(async (worker) => {
        const response = await fetch(`http://127.0.0.1:${opsPort + worker - 1}/metrics`);
        return Number(/^carillon_gateway_connections (\d+)/m.exec(await response.text())?.[1]);
      }),
    );
  }
});

/** The first of two free ports in a row. */
async function portBeforeAnother(): Promise<number> {
  const ports = [await freePort(), await freePort()];
  while ((ports.at(-2) ?? 0) + 1 !== ports.at(-1)) ports.push(await freePort());
  return ports.at(-2) ?? 0;
}

async function nodeNames(server: Deployment): Promise<string[]> {
  const { body } = await server.api('info');
  const nodes = body.result?.['nodes'];
  return Array.isArray(nodes) ? nodes.map((node: { name: string }) => node.name) : [];
}

/** None when the process has ended. */
function childrenOf(pid: number): number[] {
  try {
    return workersOf(pid);
  } catch {
    return [];
  }
}

function workersOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
