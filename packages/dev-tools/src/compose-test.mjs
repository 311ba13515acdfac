// The composed cluster as a newcomer gets it: `docker compose up`, official clients and the server API through the one
// port, and a gateway that is killed under them. Needs a Docker engine with Compose; ends with `N passed, N failed`.
import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT } from './workspace.mjs';

const PROJECT = `carillon-test-${process.pid}`;
const CLIENTS_PER_ROUND = 8;
const MAX_ROUNDS = 6;
const CHANNEL = 'compose-test';
const UP_TIMEOUT_S = 600;
const BACK_WITHIN_MS = 15_000;
/** Nodes tell each other their counts every few seconds. */
const REGISTRY_WITHIN_MS = 12_000;
const RECEIVE_WITHIN_MS = 10_000;
const POLL_MS = 100;
const API_TIMEOUT_MS = 8_000;
const FRONT_DOOR_IMAGE = 'nginx:1.29-alpine';
const STAND_IN = join(ROOT, 'deploy/compose/stand-in');

// The clients are those of the tests: this package has no dependencies of its own.
const require = createRequire(join(ROOT, 'test/package.json'));

const settings = JSON.parse(readFileSync(join(ROOT, 'deploy/compose/carillon.json'), 'utf8'));
let passed = 0;
let failed = 0;

async function main() {
  const port = await freePort();
  provideFrontDoorImage();
  const clients = [];
  try {
    await step('docker compose up --build --wait ends with everything healthy', () => up(port));
    await step('official clients connect through the port and end up on both gateways', () =>
      connectAll(port, clients),
    );
    await step('what the server API publishes through the port reaches all of them', async () => {
      await publishAndExpect(port, clients, 'first');
    });
    await step(`after the kill of a gateway its clients are back within ${BACK_WITHIN_MS / 1000} s`, () =>
      killGateway(port, clients),
    );
    await step('the next publication reaches all of them', () => publishAndExpect(port, clients, 'second'));
    await step('with one of the api processes killed the server API goes on', async () => {
      killOne('api');
      await eventually(() => publishAndExpect(port, clients, 'third'), BACK_WITHIN_MS);
    });
  } finally {
    for (const { client } of clients) client.disconnect();
    if (failed > 0) showLogs();
    down();
  }
}

/** Runs a step that the later ones need: the first failure ends the run. */
async function step(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}`);
    throw error;
  }
}

async function up(port) {
  const args = ['up', '--build', '--wait', '--wait-timeout', String(UP_TIMEOUT_S)];
  const child = spawn('docker', ['compose', '-p', PROJECT, ...args], {
    cwd: ROOT,
    env: { ...process.env, CARILLON_PORT: String(port) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`docker compose up ended with ${code}`);
}

/** Adds clients until each gateway has some: which one takes a connection is up to the front door. */
async function connectAll(port, clients) {
  for (let round = 1; ; round += 1) {
    for (let n = 0; n < CLIENTS_PER_ROUND; n += 1) clients.push(openClient(port, clients.length));
    await eventually(() => expectSubscribed(clients), BACK_WITHIN_MS);
    try {
      await eventually(() => expectBothGateways(port, clients.length), REGISTRY_WITHIN_MS);
      return;
    } catch (error) {
      if (round === MAX_ROUNDS) throw error;
    }
  }
}

function openClient(port, n) {
  const { Centrifuge } = require('centrifuge');
  const { Centrifuge: ProtobufCentrifuge } = require('centrifuge/build/protobuf');
  const { WebSocket } = require('ws');
  const isProtobuf = n % 2 === 1;
  const Client = isProtobuf ? ProtobufCentrifuge : Centrifuge;
  const client = new Client(`ws://127.0.0.1:${port}/connection/websocket`, {
    websocket: WebSocket,
    token: token(`user-${n}`),
    minReconnectDelay: 100,
    maxReconnectDelay: 1000,
  });
  const subscription = client.newSubscription(CHANNEL);
  const one = { client, subscription, received: [], lost: 0 };
  client.on('connecting', () => (one.lost += 1));
  client.on('error', () => undefined);
  subscription.on('error', () => undefined);
  subscription.on('publication', ({ data }) =>
    one.received.push(isProtobuf ? JSON.parse(new TextDecoder().decode(data)) : data),
  );
  subscription.subscribe();
  client.connect();
  return one;
}

async function expectBothGateways(port, count) {
  const { nodes } = await callApi(port, 'info', {});
  const counts = nodes.map((node) => node.num_clients).filter((clients) => clients > 0);
  const sum = counts.reduce((total, clients) => total + clients, 0);
  if (counts.length !== 2 || sum !== count) throw new Error(`${count} clients are on gateways as ${counts}`);
  console.log(`   clients on the gateways: ${counts.join(' and ')}`);
}

async function publishAndExpect(port, clients, text) {
  await callApi(port, 'publish', { channel: CHANNEL, data: { text } });
  await eventually(() => {
    const missing = clients.filter(({ received }) => !received.some((data) => data.text === text));
    if (missing.length > 0) throw new Error(`${missing.length} of ${clients.length} clients did not get ${text}`);
  }, RECEIVE_WITHIN_MS);
}

async function killGateway(port, clients) {
  for (const one of clients) one.lost = 0;
  killOne('gateway');
  const killedAt = performance.now();
  await eventually(() => {
    if (!clients.some(({ lost }) => lost > 0)) throw new Error('no client noticed');
    expectSubscribed(clients);
  }, BACK_WITHIN_MS);
  const moved = clients.filter(({ lost }) => lost > 0).length;
  console.log(
    `   ${moved} of ${clients.length} clients were back after ${Math.round(performance.now() - killedAt)} ms`,
  );
  if (moved === clients.length) throw new Error('clients of the other gateway lost their connection too');
}

function expectSubscribed(clients) {
  const waiting = clients.filter(({ client, subscription }) => {
    return client.state !== 'connected' || subscription.state !== 'subscribed';
  });
  if (waiting.length > 0) throw new Error(`${waiting.length} of ${clients.length} clients are not subscribed`);
}

function killOne(service) {
  const [id] = docker(['compose', '-p', PROJECT, 'ps', '-q', service]).trim().split('\n');
  if (!id) throw new Error(`no container of ${service}`);
  docker(['kill', id]);
}

async function callApi(port, method, body) {
  const response = await fetch(`http://127.0.0.1:${port}/api/${method}`, {
    method: 'POST',
    headers: { 'X-API-Key': settings.http_api.key },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(API_TIMEOUT_MS),
  });
  const text = await response.text();
  const { result } = text.startsWith('{') ? JSON.parse(text) : {};
  if (result === undefined) throw new Error(`${method} answered ${response.status} ${text}`);
  return result;
}

function token(user) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user })}`;
  const signature = createHmac('sha256', settings.client.token.hmac_secret_key).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}

/** Public where a registry can be reached, else the stand-in under the same name. */
function provideFrontDoorImage() {
  const has = spawnSync('docker', ['image', 'inspect', FRONT_DOOR_IMAGE], { stdio: 'ignore' }).status === 0;
  if (has || spawnSync('docker', ['pull', '-q', FRONT_DOOR_IMAGE], { stdio: 'ignore' }).status === 0) return;
  docker(['build', '-q', '-t', FRONT_DOOR_IMAGE, '-f', join(STAND_IN, 'nginx.Dockerfile'), STAND_IN]);
}

function docker(args) {
  const { status, stdout, stderr } = spawnSync('docker', args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`docker ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

function showLogs() {
  spawnSync('docker', ['compose', '-p', PROJECT, 'ps', '-a'], { cwd: ROOT, stdio: 'inherit' });
  spawnSync('docker', ['compose', '-p', PROJECT, 'logs', '--tail', '20'], { cwd: ROOT, stdio: 'inherit' });
}

function down() {
  spawnSync('docker', ['compose', '-p', PROJECT, 'down', '-v', '--remove-orphans', '--timeout', '5'], {
    cwd: ROOT,
    stdio: 'ignore',
  });
}

async function eventually(check, deadlineMs) {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(POLL_MS);
  }
}

function freePort() {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    down();
    process.exit(1);
  });
}

try {
  await main();
} catch (error) {
  console.error(`compose-test: ${error.message}`);
  if (failed === 0) failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
