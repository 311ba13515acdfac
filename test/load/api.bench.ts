// npm run bench:api — what the server API costs beyond the channel log, on one NATS server: publish and broadcast without
// history, presence of a large channel, joins and leaves; and publishes to one process that has all in memory. Beside a bare
// uWebSockets.js server that answers the same requests and commands with nothing done. With a word: the loads that have it in their
// title. BENCH_PROFILE=1 leaves CPU profiles of api and gateway in the current folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startNats } from '@carillon/dev-tools/test-nats';

import { freePort } from '../harness/free-port.ts';
import { startProcess } from '../harness/start-process.ts';
import { BASE_CONFIG, mergeConfig } from '../harness/standalone.ts';
import { HttpLoad } from './measure/http-load.ts';
import { processCpuUs } from './measure/process-cpu.ts';
import { openRawWebsocket, type RawWebsocket } from './measure/raw-websocket.ts';

const CONNECTIONS = 16;
const BROADCAST_CHANNELS = 1_000;
const MEMBERS = 1_000;
const ROOM = 'room:large';
const WARM_UP_MS = 2_000;
const MEASURE_MS = 5_000;
const ROUNDS = 2;
const TITLE_WIDTH = 28;
const LOBBIES: readonly string[] = Array.from({ length: CONNECTIONS }, (_, index) => `lobby:${index}`);
const DATA = JSON.stringify({ text: 'x'.repeat(100) });

/** Work under way; `done` counts what was finished. */
interface Load {
  readonly done: () => number;
  readonly failed: () => number;
  stop(): void;
}

interface Case {
  readonly title: string;
  readonly aimUs: number | undefined;
  readonly pid: number;
  readonly start: () => Load;
}

const nats = await startNats({ exclusive: true });
const inMemory = mergeConfig(BASE_CONFIG, {
  client: { allow_anonymous_connect_without_token: true, ping_interval: '1h' },
  channel: {
    namespaces: [
      { name: 'room', presence: true, allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true },
      {
        name: 'lobby',
        presence: true,
        join_leave: true,
        force_push_join_leave: true,
        allow_subscribe_for_client: true,
        allow_subscribe_for_anonymous: true,
      },
      { name: 'kept', history_size: 100, history_ttl: '300s' },
    ],
  },
});
const config = mergeConfig(inMemory, { nats: { url: nats.url, prefix: 'bench' } });
const profiling =
  process.env['BENCH_PROFILE'] === undefined
    ? {}
    : { env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${process.cwd()}` } };
const [api, gateway, standalone] = await Promise.all([
  startProcess({ command: 'api', config, ...profiling }),
  startProcess({ command: 'gateway', config, ...profiling }),
  startProcess({ command: 'serve', config: inMemory, ...profiling }),
]);
const barePort = await freePort();
const bareFile = fileURLToPath(new URL('bare-server.ts', import.meta.url));
const bare = spawn(process.execPath, [...process.execArgv, bareFile, String(barePort)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
await once(bare.stdout, 'data');

const publishes = Array.from({ length: 1_000 }, (_, index) => `{"channel":"c${index}","data":${DATA}}`);
const keptPublishes = Array.from({ length: 1_000 }, (_, index) => `{"channel":"kept:c${index}","data":${DATA}}`);
const names = Array.from({ length: BROADCAST_CHANNELS }, (_, index) => `c${index}`);
const broadcast = `{"channels":${JSON.stringify(names)},"data":${DATA}}`;
const members = await openMembers();

interface HttpCase {
  readonly port?: number | undefined;
  readonly connections?: number | undefined;
  readonly perRequest?: number | undefined;
  readonly bodies: readonly string[];
}

const cases: readonly Case[] = [
  {
    title: 'bare: HTTP',
    aimUs: undefined,
    pid: bare.pid ?? 0,
    start: () => http('/publish', { port: barePort, bodies: publishes }),
  },
  { title: 'publish', aimUs: 22, pid: api.pid, start: () => http('/api/publish', { bodies: publishes }) },
  {
    title: 'publish, in memory',
    aimUs: 20,
    pid: standalone.pid,
    start: () => http('/api/publish', { port: standalone.port, bodies: publishes }),
  },
  {
    title: 'publish, in memory, kept',
    aimUs: 20,
    pid: standalone.pid,
    start: () => http('/api/publish', { port: standalone.port, bodies: keptPublishes }),
  },
  {
    title: `broadcast to ${BROADCAST_CHANNELS}, each`,
    aimUs: 4,
    pid: api.pid,
    start: () => http('/api/broadcast', { connections: 1, perRequest: BROADCAST_CHANNELS, bodies: [broadcast] }),
  },
  {
    title: `presence of ${MEMBERS}`,
    aimUs: 1_400,
    pid: api.pid,
    start: () => http('/api/presence', { connections: 1, bodies: [`{"channel":"${ROOM}"}`] }),
  },
  {
    // Somebody comes and goes without a pause; the share of that in NATS is counted as well.
    title: `presence of ${MEMBERS}, changing`,
    aimUs: 1_400,
    pid: api.pid,
    start: () => {
      const [coming, asking] = [
        comeAndGo(gateway.port, [ROOM]),
        http('/api/presence', { connections: 1, bodies: [`{"channel":"${ROOM}"}`] }),
      ];
      return {
        done: asking.done,
        failed: () => asking.failed() + coming.failed(),
        stop: () => [coming, asking].forEach((load) => load.stop()),
      };
    },
  },
  {
    title: `presence_stats of ${MEMBERS}`,
    aimUs: 200,
    pid: api.pid,
    start: () => http('/api/presence_stats', { connections: 1, bodies: [`{"channel":"${ROOM}"}`] }),
  },
  { title: 'bare: join and leave', aimUs: undefined, pid: bare.pid ?? 0, start: () => comeAndGo(barePort, LOBBIES) },
  { title: 'join and leave', aimUs: 60, pid: gateway.pid, start: () => comeAndGo(gateway.port, LOBBIES) },
];

try {
  console.log(
    'load'.padEnd(TITLE_WIDTH),
    ...['per s', 'µs CPU', 'service', 'NATS', 'aim'].map((head) => head.padStart(9)),
  );
  const chosen = cases.filter(({ title }) => title.includes(process.argv[2] ?? ''));
  for (let round = 1; round <= ROUNDS; round += 1) for (const each of chosen) await measure(each);
} finally {
  for (const member of members) member.close();
  bare.kill();
  await Promise.all([api.stop(), gateway.stop(), standalone.stop()]);
  await nats.stop();
}

async function measure({ title, aimUs, pid, start }: Case): Promise<void> {
  const load = start();
  await sleep(WARM_UP_MS);
  const before = { done: load.done(), service: processCpuUs(pid), nats: processCpuUs(nats.pid) };
  const startedAt = performance.now();
  await sleep(MEASURE_MS);
  const done = load.done() - before.done;
  const seconds = (performance.now() - startedAt) / 1_000;
  const service = (processCpuUs(pid) - before.service) / done;
  const server = (processCpuUs(nats.pid) - before.nats) / done;
  load.stop();
  const cells = [
    Math.round(done / seconds).toLocaleString('en'),
    ...[service + server, service, server].map((us) => us.toFixed(1)),
    aimUs === undefined ? '' : String(aimUs),
  ];
  const failures = load.failed() > 0 ? `${load.failed()} FAILED` : '';
  console.log(title.padEnd(TITLE_WIDTH), ...cells.map((cell) => cell.padStart(9)), failures);
}

function http(path: string, { port = api.port, connections = CONNECTIONS, perRequest = 1, bodies }: HttpCase): Load {
  const load = new HttpLoad({ port, path, connections, bodies });
  return { done: () => load.answered * perRequest, failed: () => load.failed, stop: () => load.stop() };
}

/** Clients that stay in one channel with presence. */
async function openMembers(): Promise<RawWebsocket[]> {
  const opened: RawWebsocket[] = [];
  for (let index = 0; index < MEMBERS; index += 1) {
    await new Promise<void>((resolve) => {
      opened.push(
        openClient(gateway.port, (text, client) => {
          if (text.includes('"connect":')) client.send(`{"id":2,"subscribe":{"channel":"${ROOM}"}}`);
          else if (text.includes('"id":2')) resolve();
        }),
      );
    });
  }
  return opened;
}

/** In each channel a client that enters and leaves, over and over: presence, and where it is configured join and leave. */
function comeAndGo(port: number, channels: readonly string[]): Load {
  let done = 0;
  let failed = 0;
  const clients = channels.map((channel) =>
    openClient(port, (text, client) => {
      if (text.includes('"error":')) failed += 1;
      if (text.includes('"connect":')) client.send(`{"id":2,"subscribe":{"channel":"${channel}"}}`);
      else if (text.includes('"id":2')) client.send(`{"id":3,"unsubscribe":{"channel":"${channel}"}}`);
      else if (text.includes('"id":3')) {
        done += 1;
        client.send(`{"id":2,"subscribe":{"channel":"${channel}"}}`);
      }
    }),
  );
  return {
    done: () => done,
    failed: () => failed,
    stop: () => clients.forEach((client) => client.close()),
  };
}

function openClient(port: number, onMessage: (text: string, client: RawWebsocket) => void): RawWebsocket {
  return openRawWebsocket({
    port,
    path: '/connection/websocket',
    onOpen: (client) => client.send('{"id":1,"connect":{}}'),
    onMessage,
  });
}
