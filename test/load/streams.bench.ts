// npm run bench:streams: what one delivery costs the server on each transport, beside WebSocket. One channel, many subscribers
// of one transport at a time, in processes of their own; CPU time of the server process as the kernel counts it. The
// transports take turns, several times, so that what else the machine does meets all of them.
import { startStandalone } from '../harness/standalone.ts';
import { ServerUnderLoad, type Measurement } from './server-under-load.ts';

const SUBSCRIBERS = Number(process.env['BENCH_SUBSCRIBERS'] ?? '1000');
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? '2');
const PUBLICATIONS_PER_SECOND = 20;
const SECONDS = 4;
const WARM_UP_SECONDS = 1;
/** Publications on the way at a time when saturated: enough to keep the server busy, too few to fill a client's buffer. */
const WINDOW = 64;
const CHANNEL = 'bench';
const DATA = { text: 'x'.repeat(100) };

const COMMANDS = ['{"id":1,"connect":{}}', `{"id":2,"subscribe":{"channel":"${CHANNEL}"}}`];
const UNI_CONNECT = JSON.stringify({ subs: { [CHANNEL]: {} } });

/** What a client of a transport sends, and how many messages it gets before publications. */
interface Client {
  readonly frames: readonly string[];
  readonly answers: number;
  readonly streamBody?: string | undefined;
}

const CLIENTS: Readonly<Record<string, Client>> = {
  websocket: { frames: COMMANDS, answers: 2 },
  sse: { frames: [], answers: 2, streamBody: COMMANDS.join('\n') },
  http_stream: { frames: [], answers: 2, streamBody: COMMANDS.join('\n') },
  uni_websocket: { frames: [UNI_CONNECT], answers: 1 },
  uni_sse: { frames: [], answers: 1, streamBody: UNI_CONNECT },
  uni_http_stream: { frames: [], answers: 1, streamBody: UNI_CONNECT },
};
const chosen = process.env['BENCH_TRANSPORTS']?.split(',') ?? Object.keys(CLIENTS);

interface Sum {
  cpuMicros: number;
  deliveries: number;
  expected: number;
}

const on = { enabled: true };
const carillon = await startStandalone({
  // Client pings off as far as the configuration goes: a load client does not answer them.
  client: { allow_anonymous_connect_without_token: true, ping_interval: '1h' },
  channel: { without_namespace: { allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true } },
  sse: on,
  http_stream: on,
  uni_websocket: on,
  uni_sse: on,
  uni_http_stream: on,
});
const paced = new Map(chosen.map((name) => [name, { cpuMicros: 0, deliveries: 0, expected: 0 }]));
const saturated = new Map(chosen.map((name) => [name, { cpuMicros: 0, deliveries: 0, expected: 0 }]));
try {
  for (let round = 0; round < ROUNDS; round += 1) for (const name of chosen) await measure(name);
} finally {
  await carillon.stop();
}
print(`paced, ${PUBLICATIONS_PER_SECOND} publications/s`, paced);
print('saturated', saturated);

async function measure(name: string): Promise<void> {
  const client = CLIENTS[name];
  const [server] = carillon.gateways;
  if (client === undefined || server === undefined) throw new Error(`no transport ${name}`);
  const load = new ServerUnderLoad(
    server.pid,
    { port: server.port, path: `/connection/${name}`, subscribers: SUBSCRIBERS, ...client },
    {
      path: '/api/publish',
      headers: { 'X-API-Key': carillon.apiKey },
      body: JSON.stringify({ channel: CHANNEL, data: DATA }),
    },
  );
  try {
    await load.subscribeAll();
    await load.saturated(WINDOW, WARM_UP_SECONDS);
    add(paced.get(name), await load.paced(PUBLICATIONS_PER_SECOND, SECONDS));
    add(saturated.get(name), await load.saturated(WINDOW, SECONDS));
  } finally {
    load.stop();
  }
}

function add(sum: Sum | undefined, { cpuMicrosPerDelivery, deliveries, expected }: Measurement): void {
  if (sum === undefined) return;
  sum.cpuMicros += cpuMicrosPerDelivery * deliveries;
  sum.deliveries += deliveries;
  sum.expected += expected;
}

function print(what: string, sums: ReadonlyMap<string, Sum>): void {
  console.log(`\n${what}: 1 channel, ${SUBSCRIBERS} subscribers`);
  console.log('                  CPU-µs/delivery   of WebSocket   delivered');
  const [first] = sums.values();
  const floor = first === undefined ? 1 : first.cpuMicros / first.deliveries;
  for (const [name, { cpuMicros, deliveries, expected }] of sums) {
    const each = cpuMicros / deliveries;
    const cells = [each.toFixed(2).padStart(15), (each / floor).toFixed(2).padStart(12)];
    console.log(`${name.padEnd(17)} ${cells.join('   ')}   ${deliveries} of ${expected}`);
  }
}
