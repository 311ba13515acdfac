// npm run bench:storm — how long deliveries take while 5,000 clients connect at once with tokens of each algorithm. RSA and
// ECDSA are verified off the event loop, so the storm must not hold up those who are connected already.
import { fork } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { API_KEY } from '../harness/deployment.ts';
import { startStandalone } from '../harness/standalone.ts';
import { secondsFromNow, signToken } from '../harness/token.ts';
import { openRawWebsocket } from './measure/raw-websocket.ts';

const PATH = '/connection/websocket';
const CONNECTS = 5000;
const AT_ONCE = 500;
const PUBLISH_PERIOD_MS = 10;
const QUIET_MS = 3000;
const CHANNEL = 'watched';

interface Storm {
  readonly port: number;
  readonly tokens: readonly string[];
}

const [role = 'main'] = process.argv.slice(2);
if (role === 'main') await main();
else process.once('message', (storm: Storm) => void connectAll(storm));

async function main(): Promise<void> {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
  const server = await startStandalone({
    client: {
      token: { hmac_secret_key: 'secret', rsa_public_key: pem(rsa.publicKey), ecdsa_public_key: pem(ec.publicKey) },
    },
    channel: { without_namespace: { allow_subscribe_for_client: true } },
  });
  const [gateway] = server.gateways;
  if (gateway === undefined) throw new Error('no server');
  const watcher = await watchDeliveries(gateway.port, gateway.url);
  try {
    await sleep(QUIET_MS);
    print('quiet', watcher.take(), QUIET_MS);
    for (const [alg, key] of [['HS256'], ['RS256', rsa.privateKey], ['ES256', ec.privateKey]] as const) {
      const exp = secondsFromNow(3600);
      const tokens = Array.from({ length: CONNECTS }, (_, user) => signToken({ sub: `u${user}`, exp }, { alg, key }));
      watcher.take();
      const startedAt = performance.now();
      const child = fork(import.meta.filename, ['storm'], { execArgv: process.execArgv });
      child.send({ port: gateway.port, tokens } satisfies Storm);
      await once(child, 'message');
      print(`${CONNECTS} connects with ${alg}`, watcher.take(), performance.now() - startedAt);
      child.kill();
      await sleep(1000);
    }
  } finally {
    watcher.stop();
    await server.stop();
  }
}

interface Watcher {
  /** Latencies since the last call, ms. */
  take(): number[];
  stop(): void;
}

/** One subscriber, and a publication every few milliseconds that carries its time. */
async function watchDeliveries(port: number, url: string): Promise<Watcher> {
  let latencies: number[] = [];
  const subscribed = Promise.withResolvers<void>();
  const socket = openRawWebsocket({
    port,
    path: PATH,
    onOpen: (client) => {
      const token = signToken({ sub: 'watcher' });
      client.send(
        `${JSON.stringify({ id: 1, connect: { token } })}\n${JSON.stringify({ id: 2, subscribe: { channel: CHANNEL } })}`,
      );
    },
    onMessage: (text) => {
      if (text.includes('"id":2')) subscribed.resolve();
      for (const [, at] of text.matchAll(/"at":([0-9.]+)/g)) latencies.push(performance.now() - Number(at));
    },
  });
  await subscribed.promise;
  const timer = setInterval(() => {
    const body = JSON.stringify({ channel: CHANNEL, data: { at: performance.now() } });
    fetch(`${url}/api/publish`, { method: 'POST', headers: { 'X-API-Key': API_KEY }, body }).catch(console.error);
  }, PUBLISH_PERIOD_MS);
  return {
    take() {
      const taken = latencies;
      latencies = [];
      return taken;
    },
    stop() {
      clearInterval(timer);
      socket.close();
    },
  };
}

async function connectAll({ port, tokens }: Storm): Promise<void> {
  const one = (index: number): Promise<void> =>
    new Promise((resolve) => {
      openRawWebsocket({
        port,
        path: PATH,
        onOpen: (client) => client.send(JSON.stringify({ id: 1, connect: { token: tokens[index] } })),
        onMessage: () => resolve(),
      });
    });
  for (let start = 0; start < tokens.length; start += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => one(start + index)));
  }
  process.send?.('connected');
}

function print(label: string, latencies: readonly number[], wallMs: number): void {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
  console.log(
    `${label.padEnd(28)} ${String(latencies.length).padStart(5)} deliveries in ${(wallMs / 1000).toFixed(1)} s` +
      `   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   max ${at(1)} ms`,
  );
}
