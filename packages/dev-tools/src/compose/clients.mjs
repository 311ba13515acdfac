import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { ROOT } from '../workspace.mjs';
import { eventually } from './project.mjs';

const API_TIMEOUT_MS = 8_000;
const RECEIVE_WITHIN_MS = 10_000;

// The clients are those of the tests: this package has no dependencies of its own.
const require = createRequire(join(ROOT, 'test/package.json'));
const settings = JSON.parse(readFileSync(join(ROOT, 'deploy/compose/carillon.json'), 'utf8'));

/** An official client on the channel, JSON and Protobuf by turns; `auth` is its token or how it gets one. */
export function openClient(port, n, channel, auth = { token: tokenOf(`user-${n}`) }) {
  const { Centrifuge } = require('centrifuge');
  const { Centrifuge: ProtobufCentrifuge } = require('centrifuge/build/protobuf');
  const { WebSocket } = require('ws');
  const isProtobuf = n % 2 === 1;
  const Client = isProtobuf ? ProtobufCentrifuge : Centrifuge;
  const client = new Client(`ws://127.0.0.1:${port}/connection/websocket`, {
    websocket: WebSocket,
    minReconnectDelay: 100,
    maxReconnectDelay: 1000,
    ...auth,
  });
  const subscription = client.newSubscription(channel);
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

/** The result of a server API method; throws what went wrong. */
export async function callApi(port, method, body) {
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

/** Publishes by the server API and waits until each of the clients has it. */
export async function publishAndExpect(port, clients, channel, text) {
  await callApi(port, 'publish', { channel, data: { text } });
  await expectReceived(clients, text);
}

export async function expectReceived(clients, text) {
  await eventually(() => {
    const missing = clients.filter(({ received }) => !received.some((data) => data.text === text));
    if (missing.length > 0) throw new Error(`${missing.length} of ${clients.length} clients did not get ${text}`);
  }, RECEIVE_WITHIN_MS);
}

export function expectSubscribed(clients) {
  const waiting = clients.filter(({ client, subscription }) => {
    return client.state !== 'connected' || subscription.state !== 'subscribed';
  });
  if (waiting.length > 0) throw new Error(`${waiting.length} of ${clients.length} clients are not subscribed`);
}

/** Numbers of clients on the gateways, those without clients too. */
export async function clientsByGateway(port) {
  const { nodes } = await callApi(port, 'info', {});
  return nodes.map((node) => node.num_clients);
}

function tokenOf(user) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user })}`;
  const signature = createHmac('sha256', settings.client.token.hmac_secret_key).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}
