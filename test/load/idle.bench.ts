// npm run bench:idle — what an idle connection with a token and one subscription costs the gateway: memory after garbage
// collection, and CPU at the default pings (25 s, answered), beside a bare uWebSockets.js server with as many sockets.
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, type WebSocket as UwsSocket } from 'uWebSockets.js';
import { WebSocket } from 'ws';

import { ROOT } from '../harness/checkout.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { BASE_CONFIG, mergeConfig } from '../harness/standalone.ts';
import { secondsFromNow, signToken } from '../harness/token.ts';
import { processCpuUs, processRssBytes } from './measure/process-cpu.ts';
import { openRawWebsocket } from './measure/raw-websocket.ts';

const PATH = '/connection/websocket';
const CONNECTIONS = Number(process.env['BENCH_CONNECTIONS'] ?? '5000');
const CHANNELS = 100;
const IDLE_SECONDS = 25;
const OPEN_AT_ONCE = 50;
const PING_SLOTS = 500;
const PING_SLOT_MS = 50;

interface Measured {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly cpuUsPerSecond: number;
}

const [role = 'main'] = process.argv.slice(2);
if (role === 'main') await main();
else if (role === 'bare') bareServer();
else if (role === 'load') process.once('message', (port: number) => void holdConnections(port));

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-'));
  const file = join(folder, 'config.json');
  const channel = { without_namespace: { allow_subscribe_for_client: true } };
  writeFileSync(file, JSON.stringify(mergeConfig(BASE_CONFIG, { channel })));
  const cli = join(ROOT, 'packages/cli/bin/carillon.js');
  const port = await freePort();
  try {
    print(
      'carillon',
      await measure([...process.execArgv, cli, 'serve', '--config', file, '--port', String(port)], port),
    );
    const barePort = await freePort();
    print('bare', await measure([...process.execArgv, import.meta.filename, 'bare', String(barePort)], barePort));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function print(name: string, { rssBytes, heapBytes, cpuUsPerSecond }: Measured): void {
  const each = (value: number, digits = 0): string => (value / CONNECTIONS).toFixed(digits).padStart(8);
  console.log(
    `${name.padEnd(10)} RSS ${each(rssBytes)} B  heap ${each(heapBytes)} B  CPU ${each(cpuUsPerSecond, 2)} µs/s`,
  );
}

async function measure(args: readonly string[], port: number): Promise<Measured> {
  const inspectPort = await freePort();
  const server = spawn(process.execPath, [`--inspect=127.0.0.1:${inspectPort}`, ...args], { stdio: 'ignore' });
  const pid = server.pid ?? 0;
  let load: ChildProcess | undefined;
  try {
    const inspector = await eventually(() => openInspector(inspectPort), 20_000);
    await eventually(async () => fetch(`http://127.0.0.1:${port}/`), 20_000);
    await inspector.heapBytes();
    const rssBefore = processRssBytes(pid);
    // Once to warm up: code and pools are not the connection's. Memory of uWebSockets.js stays, so RSS counts from before it.
    const warm = await open(port);
    warm.kill();
    await sleep(2_000);
    const heapBefore = await inspector.heapBytes();
    load = await open(port);
    await sleep(2_000);
    const heapBytes = (await inspector.heapBytes()) - heapBefore;
    const rssBytes = processRssBytes(pid) - rssBefore;
    inspector.close();
    const cpuBefore = processCpuUs(pid);
    await sleep(IDLE_SECONDS * 1000);
    return { rssBytes, heapBytes, cpuUsPerSecond: (processCpuUs(pid) - cpuBefore) / IDLE_SECONDS };
  } finally {
    load?.kill();
    server.kill('SIGKILL');
  }
}

/** A process that holds the connections, all of them subscribed. */
async function open(port: number): Promise<ChildProcess> {
  const load = fork(import.meta.filename, ['load'], { execArgv: process.execArgv });
  load.send(port);
  await once(load, 'message');
  return load;
}

async function holdConnections(port: number): Promise<void> {
  const exp = secondsFromNow(3600);
  for (let from = 0; from < CONNECTIONS; from += OPEN_AT_ONCE) {
    await Promise.all(
      Array.from({ length: OPEN_AT_ONCE }, (_, at) =>
        hold(port, from + at, signToken({ sub: `user-${from + at}`, exp })),
      ),
    );
  }
  process.send?.('open');
}

function hold(port: number, index: number, token: string): Promise<void> {
  return new Promise((resolve) => {
    let replies = 0;
    openRawWebsocket({
      port,
      path: PATH,
      onOpen: (socket) => {
        const connect = JSON.stringify({ id: 1, connect: { token, name: 'bench' } });
        const channel = `channel-${index % CHANNELS}`;
        socket.send(`${connect}\n${JSON.stringify({ id: 2, subscribe: { channel } })}`);
      },
      onMessage: (text, socket) => {
        if (text === '{}') socket.send('{}');
        replies += text.split('\n').length;
        if (replies === 2) resolve();
      },
    });
  });
}

interface Inspector {
  /** Used heap after garbage collection. */
  heapBytes(): Promise<number>;
  close(): void;
}

async function openInspector(port: number): Promise<Inspector> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await once(socket, 'open');
  let id = 0;
  const call = async (method: string): Promise<{ readonly usedSize?: number }> => {
    id += 1;
    socket.send(JSON.stringify({ id, method }));
    const [data] = (await once(socket, 'message')) as [Buffer];
    return (JSON.parse(data.toString()) as { result: { readonly usedSize?: number } }).result;
  };
  return {
    async heapBytes() {
      await call('HeapProfiler.collectGarbage');
      await call('HeapProfiler.collectGarbage');
      return (await call('Runtime.getHeapUsage')).usedSize ?? 0;
    },
    close: () => socket.close(),
  };
}

/** Answers with two fixed messages and pings each socket every 25 s; keeps nothing but the socket. */
function bareServer(): void {
  const answers = '{"id":1,"connect":{"client":"00000000-0000-4000-8000-000000000000"}}\n{"id":2,"subscribe":{}}';
  const sockets: Set<UwsSocket<unknown>>[] = Array.from({ length: PING_SLOTS }, () => new Set());
  let slot = 0;
  setInterval(() => {
    slot = (slot + 1) % PING_SLOTS;
    for (const ws of sockets[slot] ?? []) ws.send('{}', false);
  }, PING_SLOT_MS);
  let opened = 0;
  App()
    .ws<{ slot: number }>(PATH, {
      idleTimeout: 120,
      upgrade: (res, req, context) => {
        opened += 1;
        const [key, protocol, extensions] = ['key', 'protocol', 'extensions'].map((name) =>
          req.getHeader(`sec-websocket-${name}`),
        );
        res.upgrade({ slot: opened % PING_SLOTS }, key ?? '', protocol ?? '', extensions ?? '', context);
      },
      open: (ws) => void sockets[ws.getUserData().slot]?.add(ws),
      close: (ws) => void sockets[ws.getUserData().slot]?.delete(ws),
      message: (ws, message) => {
        if (message.byteLength > 2) ws.send(answers, false);
      },
    })
    .any('/*', (response) => void response.end(''))
    .listen(Number(process.argv[3]), (socket) => {
      if (socket === false) throw new Error('no port');
    });
}
