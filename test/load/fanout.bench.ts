// npm run bench:fanout: what one delivery costs the server, beside a bare uWebSockets.js server that publishes the same
// bytes. One channel, many subscribers in processes of their own; CPU time of the server process as the kernel counts it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { freePort } from '../harness/free-port.ts';
import { startStandalone } from '../harness/standalone.ts';
import { ServerUnderLoad, type Measurement } from './server-under-load.ts';

const SUBSCRIBERS = 1_000;
const PUBLICATIONS_PER_SECOND = 20;
const SECONDS = 10;
const WARM_UP_SECONDS = 2;
/** Publications on the way at a time when saturated: enough to keep the server busy, too few to fill a client's buffer. */
const WINDOW = 64;
const CHANNEL = 'bench';
const DATA = { text: 'x'.repeat(100) };

/** Client pings off as far as the configuration goes: a load client does not answer them. */
const carillon = await startStandalone({
  client: { allow_anonymous_connect_without_token: true, ping_interval: '1h' },
  channel: { without_namespace: { allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true } },
});
const barePort = await freePort();
const bare = spawn(
  process.execPath,
  [...process.execArgv, fileURLToPath(new URL('./bare-server.ts', import.meta.url)), String(barePort)],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
await Promise.race([
  once(bare.stdout, 'data'),
  once(bare, 'exit').then(() => Promise.reject(new Error('the bare server did not start'))),
]);

const [process_] = carillon.gateways;
const servers = {
  carillon: new ServerUnderLoad(
    process_?.pid ?? 0,
    {
      port: process_?.port ?? 0,
      path: '/connection/websocket',
      subscribers: SUBSCRIBERS,
      frames: ['{"id":1,"connect":{}}', `{"id":2,"subscribe":{"channel":"${CHANNEL}"}}`],
      answers: 2,
    },
    {
      path: '/api/publish',
      headers: { 'X-API-Key': carillon.apiKey },
      body: JSON.stringify({ channel: CHANNEL, data: DATA }),
    },
  ),
  bare: new ServerUnderLoad(
    bare.pid ?? 0,
    { port: barePort, path: '/', subscribers: SUBSCRIBERS, frames: [], answers: 0 },
    { path: '/publish', headers: {}, body: JSON.stringify({ push: { channel: CHANNEL, pub: { data: DATA } } }) },
  ),
};

try {
  for (const server of Object.values(servers)) {
    await server.subscribeAll();
    await server.paced(PUBLICATIONS_PER_SECOND, WARM_UP_SECONDS);
    await server.saturated(WINDOW, WARM_UP_SECONDS);
  }
  print(
    `paced, ${PUBLICATIONS_PER_SECOND} publications/s`,
    await servers.carillon.paced(PUBLICATIONS_PER_SECOND, SECONDS),
    await servers.bare.paced(PUBLICATIONS_PER_SECOND, SECONDS),
  );
  print('saturated', await servers.carillon.saturated(WINDOW, SECONDS), await servers.bare.saturated(WINDOW, SECONDS));
} finally {
  for (const server of Object.values(servers)) server.stop();
  bare.kill();
  await carillon.stop();
}

function print(what: string, ours: Measurement, floor: Measurement): void {
  console.log(`\n${what}: 1 channel, ${SUBSCRIBERS} subscribers`);
  console.log('                     CPU-µs/delivery   deliveries/s   delivered');
  console.log(line('carillon serve', ours));
  console.log(line('bare uWebSockets.js', floor));
  console.log(`ratio                ${(ours.cpuMicrosPerDelivery / floor.cpuMicrosPerDelivery).toFixed(2)}`);
}

function line(name: string, { cpuMicrosPerDelivery, deliveries, expected, seconds }: Measurement): string {
  const cells = [
    cpuMicrosPerDelivery.toFixed(2).padStart(15),
    Math.round(deliveries / seconds)
      .toLocaleString('en')
      .padStart(14),
    `${deliveries.toLocaleString('en')} of ${expected.toLocaleString('en')}`,
  ];
  return `${name.padEnd(20)} ${cells.join('   ')}`;
}
