// npm run bench:idle — what an idle connection with a token and one subscription costs the gateway at the default pings
// (25 s, answered), beside a bare uWebSockets.js server with as many sockets and the same pings. Both are idle at the same
// time, so that what else the machine does meets both.
//
// Memory: what is between two counts of connections, so that code, pools and the process itself do not count; each after full
// garbage collections. RSS moves by megabytes with what V8 keeps in reserve for new objects, so the sum of what is used on its
// heap and what is resident outside of it is the figure to go by. CPU: two whole rounds of pings after a first one, less what
// the process uses without any connection.
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { ROOT } from '../harness/checkout.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { inspectFlags, openInspector, type Inspector } from '../harness/inspector.ts';
import { BASE_CONFIG, mergeConfig } from '../harness/standalone.ts';
import type { OpenIdle } from './measure/idle-clients.ts';
import { processRssBytes, threadsCpuUs } from './measure/process-cpu.ts';

const PATH = '/connection/websocket';
/** The limit of open files is 20,000 on many machines. */
const CONNECTIONS = Number(process.env['BENCH_CONNECTIONS'] ?? '15000');
/** Warm up code and pools; memory counts from here. */
const FIRST_CONNECTIONS = Math.round(CONNECTIONS / 5);
const CHANNELS = 100;
const PING_ROUNDS_S = 50;
const UNCONNECTED_S = 10;
/** The first round of pings is not counted: it compiles. */
const FIRST_PING_ROUND_MS = 25_000;
const SETTLE_MS = 3_000;
const START_DEADLINE_MS = 60_000;

interface Memory {
  readonly rssBytes: number;
  /** Used on the heap of V8. */
  readonly heapBytes: number;
  /** Resident, without what V8 took for its heap. */
  readonly nativeBytes: number;
}

interface Server {
  readonly name: string;
  readonly process: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly inspector: Inspector;
  readonly clients: ChildProcess;
}

const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-'));
const servers: Server[] = [];
try {
  const file = join(folder, 'config.json');
  const channel = { without_namespace: { allow_subscribe_for_client: true } };
  writeFileSync(file, JSON.stringify(mergeConfig(BASE_CONFIG, { channel })));
  const cli = join(ROOT, 'packages/cli/bin/carillon.js');
  servers.push(await start('carillon', (port) => [cli, 'serve', '--config', file, '--port', String(port)]));
  const bare = fileURLToPath(new URL('measure/bare-idle-server.ts', import.meta.url));
  servers.push(await start('bare', (port) => [bare, String(port)]));

  await sleep(SETTLE_MS);
  const unconnected = await cpuPerSecond(UNCONNECTED_S);
  await Promise.all(servers.map((server) => connect(server, FIRST_CONNECTIONS)));
  await sleep(SETTLE_MS);
  const few = await Promise.all(servers.map(memoryOf));
  await Promise.all(servers.map((server) => connect(server, CONNECTIONS - FIRST_CONNECTIONS)));
  await sleep(SETTLE_MS);
  const many = await Promise.all(servers.map(memoryOf));
  await sleep(FIRST_PING_ROUND_MS);
  const connected = await cpuPerSecond(PING_ROUNDS_S);

  console.log(`${CONNECTIONS} idle connections, each`);
  for (const [at, { name }] of servers.entries()) {
    const heap = growth(few[at], many[at], 'heapBytes');
    const native = growth(few[at], many[at], 'nativeBytes');
    const rss = growth(few[at], many[at], 'rssBytes');
    const base = unconnected[at] ?? 0;
    const cpu = ((connected[at] ?? 0) - base) / CONNECTIONS;
    console.log(
      `${name.padEnd(10)} memory ${bytes(heap + native)} (heap ${bytes(heap)}, outside ${bytes(native)}; RSS ${bytes(rss)})` +
        `   CPU ${cpu.toFixed(2)} µs/s   [without connections ${(base / 1000).toFixed(1)} ms/s]`,
    );
  }
} finally {
  for (const server of servers) {
    server.clients.kill();
    server.process.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true });
}

function growth(few: Memory | undefined, many: Memory | undefined, what: keyof Memory): number {
  return ((many?.[what] ?? 0) - (few?.[what] ?? 0)) / (CONNECTIONS - FIRST_CONNECTIONS);
}

function bytes(value: number): string {
  return `${Math.round(value).toLocaleString('en')} B`;
}

async function start(name: string, argumentsFor: (port: number) => string[]): Promise<Server> {
  const port = await freePort();
  const inspectPort = await freePort();
  const flags = [...process.execArgv, ...inspectFlags(inspectPort)];
  const child = spawn(process.execPath, [...flags, ...argumentsFor(port)], { stdio: 'ignore' });
  const inspector = await eventually(() => openInspector(inspectPort), START_DEADLINE_MS);
  await eventually(async () => fetch(`http://127.0.0.1:${port}/`), START_DEADLINE_MS);
  const clients = fork(new URL('measure/idle-clients.ts', import.meta.url), { execArgv: process.execArgv });
  return { name, process: child, pid: child.pid ?? 0, port, inspector, clients };
}

async function connect({ name, port, clients }: Server, count: number): Promise<void> {
  const ended = once(clients, 'exit').then(() => {
    throw new Error(`a connection to ${name} was lost`);
  });
  const request: OpenIdle = { port, path: PATH, count, channels: CHANNELS };
  clients.send(request);
  await Promise.race([once(clients, 'message'), ended]);
}

async function memoryOf({ pid, inspector }: Server): Promise<Memory> {
  const { usedBytes, committedBytes } = await inspector.collectedHeap();
  const rssBytes = processRssBytes(pid);
  return { heapBytes: usedBytes, rssBytes, nativeBytes: rssBytes - committedBytes };
}

/** µs of CPU time a second that each server uses meanwhile. */
async function cpuPerSecond(seconds: number): Promise<number[]> {
  const before = servers.map(({ pid }) => threadsCpuUs(pid));
  const startedAt = performance.now();
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - startedAt) / 1000;
  return servers.map(({ pid }, at) => (threadsCpuUs(pid) - (before[at] ?? 0)) / elapsed);
}
