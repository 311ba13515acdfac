// npm run bench:publish — HTTP publishes into channels with history through one api instance, broadcasts, and a hot channel,
// on one NATS server with file storage: rate, and CPU of api and NATS. Beside a bare server that stores the same bodies in
// JetStream with nothing added. BENCH_PROFILE=1 leaves a CPU profile of the api instance in the current folder;
// BENCH_NATS='{"shards":2}' sets other options of `nats`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNats } from '@carillon/dev-tools/test-nats';
import { startProcess } from '../harness/start-process.ts';
import { BASE_CONFIG, mergeConfig } from '../harness/standalone.ts';
import { HttpLoad } from './measure/http-load.ts';
import { processCpuUs } from './measure/process-cpu.ts';

const CHANNELS = 1_000;
const CONNECTIONS = 16;
const WARM_UP_MS = 3_000;
const MEASURE_MS = 6_000;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? '2');
const DATA = JSON.stringify({ text: 'x'.repeat(100) });

interface Target {
  readonly port: number;
  readonly pid: number;
}

interface Case {
  readonly title: string;
  readonly aim: string;
  readonly target: Target;
  readonly path: string;
  readonly bodies: readonly string[];
  /** Publications of one request. */
  readonly perRequest: number;
  readonly connections: number;
}

const nats = await startNats({ exclusive: true });
const config = mergeConfig(BASE_CONFIG, {
  nats: { ...JSON.parse(process.env['BENCH_NATS'] ?? '{}'), url: nats.url, prefix: 'bench' },
  channel: { namespaces: [{ name: 'hist', history_size: 100, history_ttl: '300s' }] },
});
const profiling =
  process.env['BENCH_PROFILE'] === undefined
    ? {}
    : { env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${process.cwd()}` } };
const api = await startProcess({ command: 'api', config, ...profiling });
const bareFile = new URL('measure/bare-publish-server.ts', import.meta.url);
const bare = fork(bareFile, [nats.url, 'bare'], { execArgv: process.execArgv });
const [barePort] = (await once(bare, 'message')) as [number];

const channels = Array.from({ length: CHANNELS }, (_, index) => `hist:${index}`);
const publishes = channels.map((channel) => `{"channel":"${channel}","data":${DATA}}`);
const one = { connections: CONNECTIONS, perRequest: 1, path: '/api/publish' };
const cases: readonly Case[] = [
  {
    ...one,
    title: 'bare: HTTP to JetStream',
    aim: '',
    target: { port: barePort, pid: bare.pid ?? 0 },
    bodies: publishes,
  },
  { ...one, title: `publish into ${CHANNELS} channels`, aim: '48 µs, 21,000/s', target: api, bodies: publishes },
  { ...one, title: 'publish into one hot channel', aim: '5,000/s', target: api, bodies: publishes.slice(0, 1) },
  {
    title: `broadcast to ${CHANNELS} channels`,
    aim: '20 µs',
    target: api,
    path: '/api/broadcast',
    bodies: [`{"channels":${JSON.stringify(channels)},"data":${DATA}}`],
    perRequest: CHANNELS,
    connections: 1,
  },
];

try {
  console.log(
    'load'.padEnd(32),
    'per s'.padStart(8),
    'µs CPU'.padStart(8),
    'service'.padStart(8),
    'NATS'.padStart(8),
    ' aim',
  );
  for (let round = 1; round <= ROUNDS; round += 1) for (const each of cases) await measure(each);
} finally {
  bare.kill();
  await api.stop();
  await nats.stop();
}

async function measure({ title, aim, target, path, bodies, perRequest, connections }: Case): Promise<void> {
  const load = new HttpLoad({ port: target.port, path, connections, bodies });
  await sleep(WARM_UP_MS);
  const before = { answered: load.answered, service: processCpuUs(target.pid), nats: processCpuUs(nats.pid) };
  const startedAt = performance.now();
  await sleep(MEASURE_MS);
  const publications = (load.answered - before.answered) * perRequest;
  const seconds = (performance.now() - startedAt) / 1_000;
  const service = (processCpuUs(target.pid) - before.service) / publications;
  const server = (processCpuUs(nats.pid) - before.nats) / publications;
  load.stop();
  const cells = [
    Math.round(publications / seconds).toLocaleString('en'),
    ...[service + server, service, server].map((us) => us.toFixed(1)),
  ];
  console.log(
    title.padEnd(32),
    ...cells.map((cell) => cell.padStart(8)),
    ` ${aim}`,
    load.failed > 0 ? `${load.failed} FAILED` : '',
  );
}
