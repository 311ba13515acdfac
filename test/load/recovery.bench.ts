// npm run bench:recovery — 10,000 subscribers of 100 channels are cut at once and recover while publications go on: CPU of
// the gateway, api and NATS per client, with what the publications cost and without, reads of the log, what was lost or
// doubled. Beside a bare uWebSockets.js server that takes the same connections and answers with bytes of the same size.
// Then reads of 100 publications of history, by a client, of channels that are live on its node and of channels that are
// not. BENCH_ONLY=recovery or BENCH_ONLY=history runs one of the two; BENCH_PROFILE=1 profiles the gateway.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNats } from '@carillon/dev-tools/test-nats';
import { App, us_socket_local_port } from 'uWebSockets.js';
import { startProcess } from '../harness/start-process.ts';
import { BASE_CONFIG, mergeConfig } from '../harness/standalone.ts';
import { secondsFromNow, signToken } from '../harness/token.ts';
import { processCpuUs } from './measure/process-cpu.ts';
import { openRawWebsocket, type RawWebsocket } from './measure/raw-websocket.ts';
import { ReadCounter } from './measure/read-counter.ts';

const CLIENTS = Number(process.env['BENCH_CLIENTS'] ?? '10000');
const CHANNELS = 100;
const PATH = '/connection/websocket';
const PUBLICATIONS_PER_SECOND = 50;
const AWAY_MS = 1_500;
const OPENING = 300;
const SETTLE_MS = 3_000;
const HISTORY_READS = 8_000;
const HISTORY_IN_FLIGHT = 16;
const ALONE_READS = 1_000;
const HISTORY_LIMIT = 100;
const DATA = JSON.stringify({ text: 'x'.repeat(100) });
const API_KEY = 'k';

interface Wire {
  readonly id?: number;
  readonly error?: unknown;
  readonly subscribe?: {
    readonly epoch: string;
    readonly offset?: number;
    readonly recovered?: boolean;
    readonly was_recovering?: boolean;
    readonly publications?: readonly { readonly offset: number }[];
  };
  readonly history?: { readonly publications: readonly unknown[] };
  readonly push?: { readonly pub?: { readonly offset: number } };
}

const wrong = { lost: 0, doubled: 0, notRecovered: 0, errors: 0 };

/** One subscriber of one channel that counts what is missing. */
class Subscriber {
  readonly channel: string;
  readonly #port: number;
  readonly #token: string;
  #epoch = '';
  #offset = -1;
  #socket: RawWebsocket | undefined;

  constructor(index: number, port: number) {
    this.channel = `hist:${index % CHANNELS}`;
    this.#port = port;
    this.#token = signToken({ sub: `u${index}`, exp: secondsFromNow(3_600) });
  }

  get offset(): number {
    return this.#offset;
  }

  /** Settles when subscribed (again). */
  open(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket = openRawWebsocket({
        port: this.#port,
        path: PATH,
        onOpen: (socket) => {
          const since = this.#offset < 0 ? {} : { recover: true, epoch: this.#epoch, offset: this.#offset };
          const connect = JSON.stringify({ id: 1, connect: { token: this.#token } });
          socket.send(`${connect}\n${JSON.stringify({ id: 2, subscribe: { channel: this.channel, ...since } })}`);
        },
        onMessage: (text, socket) => {
          for (const line of text.split('\n')) this.#take(JSON.parse(line), socket, resolve);
        },
      });
    });
  }

  cut(): void {
    this.#socket?.close();
  }

  #take(reply: Wire, socket: RawWebsocket, subscribed: () => void): void {
    if (reply.error !== undefined) wrong.errors += 1;
    if (reply.push?.pub !== undefined) this.#next(reply.push.pub.offset);
    else if (reply.subscribe !== undefined) {
      const {
        epoch,
        offset = 0,
        recovered = false,
        was_recovering: wasRecovering = false,
        publications = [],
      } = reply.subscribe;
      if (wasRecovering && !recovered) wrong.notRecovered += 1;
      for (const publication of publications) this.#next(publication.offset);
      if (!wasRecovering) this.#offset = offset;
      this.#epoch = epoch;
      subscribed();
    } else if (reply.id === undefined) socket.send('{}');
  }

  #next(offset: number): void {
    if (offset <= this.#offset) wrong.doubled += 1;
    else if (offset > this.#offset + 1) wrong.lost += offset - this.#offset - 1;
    this.#offset = offset;
  }
}

async function main(): Promise<void> {
  const nats = await startNats({ exclusive: true });
  const config = mergeConfig(BASE_CONFIG, {
    nats: { url: nats.url, prefix: 'bench' },
    channel: {
      namespaces: [
        {
          name: 'hist',
          history_size: 300,
          history_ttl: '600s',
          force_recovery: true,
          allow_subscribe_for_client: true,
          allow_history_for_client: true,
        },
      ],
    },
  });
  const profiling =
    process.env['BENCH_PROFILE'] === undefined
      ? {}
      : { env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${process.cwd()}` } };
  const gateway = await startProcess({ command: 'gateway', config, ...profiling });
  const api = await startProcess({ command: 'api', config });
  const bare = fork(import.meta.filename, ['bare'], { execArgv: process.execArgv });
  const [barePort] = (await once(bare, 'message')) as [number];
  const reads = await ReadCounter.start(nats.url);
  const pids = { gateway: gateway.pid, NATS: nats.pid, api: api.pid };
  const only = process.env['BENCH_ONLY'];
  try {
    if (only !== 'history') {
      const bareUs = await measureBare(barePort, bare.pid ?? 0);
      console.log(`bare server: ${bareUs.toFixed(1)} µs of CPU per client that comes back`);
      await measureRecovery(gateway.port, api.url, { pids, reads });
    }
    if (only !== 'recovery') await measureHistory(gateway.port, api.url, { pids, reads });
  } finally {
    bare.kill();
    await reads.stop();
    await Promise.all([gateway.stop(), api.stop()]);
    await nats.stop();
  }
}

interface Meters {
  readonly pids: Readonly<Record<string, number>>;
  readonly reads: ReadCounter;
}

async function measureRecovery(port: number, apiUrl: string, { pids, reads }: Meters): Promise<void> {
  const subscribers = Array.from({ length: CLIENTS }, (_, index) => new Subscriber(index, port));
  const publisher = new SteadyPublisher(apiUrl);
  // What the same publications cost when nobody recovers: with no client there, and with all.
  await sleep(AWAY_MS);
  const undelivered = await perMs(pids, SETTLE_MS);
  await openAll(subscribers);
  await sleep(SETTLE_MS);
  const delivered = await perMs(pids, SETTLE_MS);
  for (const subscriber of subscribers) subscriber.cut();
  await sleep(AWAY_MS);
  const [before, readsBefore, startedAt] = [cpuOf(pids), await reads.count(), performance.now()];
  await openAll(subscribers);
  const tookMs = performance.now() - startedAt;
  const spent = mapValues(cpuOf(pids), (us, name) => (us - (before[name] ?? 0)) / CLIENTS);
  const readsMade = (await reads.count()) - readsBefore;
  await publisher.stop();
  await sleep(SETTLE_MS);
  const tops = new Map<string, number>();
  for (const { channel, offset } of subscribers) tops.set(channel, Math.max(tops.get(channel) ?? 0, offset));
  const behind = subscribers.filter(({ channel, offset }) => offset !== tops.get(channel)).length;
  // The clients come back one after the other, so half of them are there on average.
  const idle = mapValues(delivered, (us, name) => (((us + (undelivered[name] ?? 0)) / 2) * tookMs) / CLIENTS);
  console.log(
    `${CLIENTS} clients of ${CHANNELS} channels recovered in ${Math.round(tookMs)} ms, ${publisher.published} publications`,
  );
  console.log(`  CPU per client: ${sum(spent).toFixed(1)} µs (${text(spent)})`);
  console.log(`  publications without recovery in that time: ${sum(idle).toFixed(1)} µs (${text(idle)})`);
  console.log(`  recovery alone: ${(sum(spent) - sum(idle)).toFixed(1)} µs; aim 140`);
  console.log(`  reads of the log: ${readsMade}, ${(readsMade / CHANNELS).toFixed(2)} per channel and node; aim ≤ 1`);
  console.log(
    `  lost ${wrong.lost}, doubled ${wrong.doubled}, not recovered ${wrong.notRecovered}, errors ${wrong.errors}, not at the top ${behind}; aim 0`,
  );
  for (const subscriber of subscribers) subscriber.cut();
  await sleep(SETTLE_MS);
}

/** What the processes use while nothing is done to them, µs of CPU per ms. */
async function perMs(pids: Meters['pids'], durationMs: number): Promise<Record<string, number>> {
  const [from, startedAt] = [cpuOf(pids), performance.now()];
  await sleep(durationMs);
  const tookMs = performance.now() - startedAt;
  return mapValues(cpuOf(pids), (us, name) => (us - (from[name] ?? 0)) / tookMs);
}

async function measureHistory(port: number, apiUrl: string, { pids, reads }: Meters): Promise<void> {
  const live = Array.from({ length: CHANNELS }, (_, index) => `hist:live${index}`);
  const cold = Array.from({ length: CHANNELS }, (_, index) => `hist:cold${index}`);
  for (let count = 0; count < HISTORY_LIMIT; count += 1) await broadcast(apiUrl, [...live, ...cold]);
  const reader = await HistoryReader.open(port, live);
  await reader.readAll(live, HISTORY_READS / 4);
  const [before, readsBefore] = [cpuOf(pids), await reads.count()];
  await reader.readAll(live, HISTORY_READS);
  const spent = mapValues(cpuOf(pids), (us, name) => (us - (before[name] ?? 0)) / HISTORY_READS);
  const readsMade = (await reads.count()) - readsBefore;
  console.log(
    `history of ${HISTORY_LIMIT} publications, channel live on the node: ${sum(spent).toFixed(1)} µs of CPU (${text(spent)}), ${readsMade} reads of the log; aim 340 µs`,
  );
  await measureAlone('channel live on the node', reader, pids, {
    channels: Array.from({ length: ALONE_READS }, (_, index) => live[index % live.length] ?? ''),
    aim: '',
  });
  await measureAlone('first read of a channel', reader, pids, { channels: cold, aim: '; aim 1.5 ms' });
  reader.close();
}

interface AloneReads {
  readonly channels: readonly string[];
  readonly aim: string;
}

/** One read after the other. */
async function measureAlone(
  what: string,
  reader: HistoryReader,
  pids: Meters['pids'],
  { channels, aim }: AloneReads,
): Promise<void> {
  const before = cpuOf(pids);
  const tookMs: number[] = [];
  for (const channel of channels) {
    const startedAt = performance.now();
    await reader.read(channel);
    tookMs.push(performance.now() - startedAt);
  }
  const spent = mapValues(cpuOf(pids), (us, name) => (us - (before[name] ?? 0)) / channels.length);
  tookMs.sort((one, other) => one - other);
  const at = (share: number): string => (tookMs[Math.floor(share * (tookMs.length - 1))] ?? 0).toFixed(2);
  console.log(
    `  one at a time, ${what}: ${at(0.5)} ms, p95 ${at(0.95)} ms; ${sum(spent).toFixed(1)} µs of CPU (${text(spent)})${aim}`,
  );
}

/** A client that reads history: several reads in flight. */
class HistoryReader {
  readonly #socket: RawWebsocket;
  readonly #waiting: Map<number, () => void>;
  #lastId = 1_000;

  private constructor(socket: RawWebsocket, waiting: Map<number, () => void>) {
    this.#socket = socket;
    this.#waiting = waiting;
  }

  static async open(port: number, channels: readonly string[]): Promise<HistoryReader> {
    const waiting = new Map<number, () => void>();
    const take = (reply: Wire): void => {
      if (reply.error !== undefined) throw new Error(JSON.stringify(reply));
      if (reply.history !== undefined && reply.history.publications.length !== HISTORY_LIMIT) wrong.lost += 1;
      waiting.get(reply.id ?? 0)?.();
      waiting.delete(reply.id ?? 0);
    };
    const socket = await new Promise<RawWebsocket>((resolve) => {
      openRawWebsocket({
        port,
        path: PATH,
        onOpen: resolve,
        onMessage: (text) => text.split('\n').forEach((line) => take(JSON.parse(line))),
      });
    });
    const reader = new HistoryReader(socket, waiting);
    await reader.#call({ connect: { token: signToken({ sub: 'reader', exp: secondsFromNow(3_600) }) } });
    for (const channel of channels) await reader.#call({ subscribe: { channel } });
    return reader;
  }

  read(channel: string): Promise<void> {
    return this.#call({ history: { channel, limit: HISTORY_LIMIT } });
  }

  async readAll(channels: readonly string[], count: number): Promise<void> {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.read(channels[left % channels.length] ?? '');
      }
    };
    await Promise.all(Array.from({ length: HISTORY_IN_FLIGHT }, worker));
  }

  close(): void {
    this.#socket.close();
  }

  #call(command: object): Promise<void> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#socket.send(JSON.stringify({ id, ...command }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }
}

async function openAll(subscribers: readonly { open(): Promise<void> }[]): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < subscribers.length) {
      const subscriber = subscribers[next];
      next += 1;
      await subscriber?.open();
    }
  };
  await Promise.all(Array.from({ length: OPENING }, worker));
}

/** Publications into all channels by turns, until `stop`. */
class SteadyPublisher {
  published = 0;
  readonly #apiUrl: string;
  readonly #startedAt: number = performance.now();
  readonly #work: Promise<void>;
  #isOver = false;

  constructor(apiUrl: string) {
    this.#apiUrl = apiUrl;
    this.#work = this.#publish();
  }

  stop(): Promise<void> {
    this.#isOver = true;
    return this.#work;
  }

  async #publish(): Promise<void> {
    while (!this.#isOver) {
      const due = Math.ceil(((performance.now() - this.#startedAt) / 1_000) * PUBLICATIONS_PER_SECOND);
      const channels = Array.from(
        { length: due - this.published },
        (_, index) => `hist:${(this.published + index) % CHANNELS}`,
      );
      this.published = due;
      if (channels.length > 0) await broadcast(this.#apiUrl, channels);
      else await sleep(5);
    }
  }
}

async function broadcast(apiUrl: string, channels: readonly string[]): Promise<void> {
  const body = `{"channels":${JSON.stringify(channels)},"data":${DATA}}`;
  const response = await fetch(`${apiUrl}/api/broadcast`, { method: 'POST', headers: { 'X-API-Key': API_KEY }, body });
  const answer = await response.text();
  if (!response.ok || answer.includes('"error"')) throw new Error(answer);
}

async function measureBare(port: number, pid: number): Promise<number> {
  const open = (): Promise<RawWebsocket> =>
    new Promise((resolve) => {
      openRawWebsocket({
        port,
        path: PATH,
        onOpen: (socket) => socket.send(JSON.stringify({ id: 1, connect: { token: 'x'.repeat(120) } })),
        onMessage: (_text, socket) => resolve(socket),
      });
    });
  const sockets: RawWebsocket[] = [];
  const once = { open: async (): Promise<void> => void sockets.push(await open()) };
  const before = processCpuUs(pid);
  await openAll(Array.from({ length: CLIENTS }, () => once));
  const perClient = (processCpuUs(pid) - before) / CLIENTS;
  for (const socket of sockets) socket.close();
  await sleep(SETTLE_MS);
  return perClient;
}

function serveBare(): void {
  const answer = JSON.stringify({
    id: 1,
    connect: { client: '00000000-0000-4000-8000-000000000000', pad: 'x'.repeat(700) },
  });
  App()
    .ws(PATH, { message: (ws) => void ws.send(answer, false) })
    .listen(0, (socket) => {
      if (socket === false) throw new Error('no port');
      process.send?.(us_socket_local_port(socket));
    });
}

function cpuOf(pids: Readonly<Record<string, number>>): Record<string, number> {
  return mapValues(pids, (pid) => processCpuUs(pid));
}

function mapValues(
  record: Readonly<Record<string, number>>,
  map: (value: number, name: string) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}

function sum(record: Readonly<Record<string, number>>): number {
  return Object.values(record).reduce((total, value) => total + value, 0);
}

function text(record: Readonly<Record<string, number>>): string {
  return Object.entries(record)
    .map(([name, us]) => `${name} ${us.toFixed(1)}`)
    .join(', ');
}

const [role = 'main'] = process.argv.slice(2);
if (role === 'bare') serveBare();
else await main();
