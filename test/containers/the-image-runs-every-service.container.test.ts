import { Centrifuge } from 'centrifuge';
import { GenericContainer, Network, Wait, type StartedNetwork, type StartedTestContainer } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { signToken } from '../harness/token.ts';

/** The image that `docker compose build` makes; the NATS that production runs. */
const IMAGE = process.env['CARILLON_TEST_IMAGE'] ?? 'carillon:local';
const NATS_IMAGE = 'nats:2.15-alpine';
const API_KEY = 'image-test-key';
const PORT = 8000;

const config = {
  http_server: { port: PORT },
  client: { token: { hmac_secret_key: 'secret' } },
  http_api: { key: API_KEY },
  channel: {
    without_namespace: { allow_subscribe_for_client: true, history_size: 10, history_ttl: '60s', force_recovery: true },
  },
};

const started: StartedTestContainer[] = [];
let network: StartedNetwork;

async function service(command: string, extra: object = {}): Promise<StartedTestContainer> {
  const content = JSON.stringify({ ...config, ...extra });
  const container = await new GenericContainer(IMAGE)
    .withNetwork(network)
    .withCopyContentToContainer([{ content, target: '/tmp/carillon.json' }])
    .withCommand([command, '--config', '/tmp/carillon.json'])
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp('/health', PORT).forStatusCode(200))
    .withStartupTimeout(60_000)
    .start();
  started.push(container);
  return container;
}

const addressOf = (container: StartedTestContainer): string => `127.0.0.1:${container.getMappedPort(PORT)}`;

async function publish(container: StartedTestContainer, channel: string, data: unknown): Promise<unknown> {
  const response = await fetch(`http://${addressOf(container)}/api/publish`, {
    method: 'POST',
    headers: { 'X-API-Key': API_KEY },
    body: JSON.stringify({ channel, data }),
  });
  return response.json();
}

/** The first publication that an official client gets on the channel, once it is subscribed. */
async function firstPublication(
  container: StartedTestContainer,
  channel: string,
  act: () => Promise<unknown>,
): Promise<unknown> {
  const token = signToken({ sub: '42' });
  const client = new Centrifuge(`ws://${addressOf(container)}/connection/websocket`, { token, websocket: WebSocket });
  const subscription = client.newSubscription(channel);
  const received = new Promise((resolve) => subscription.once('publication', ({ data }) => resolve(data)));
  const subscribed = new Promise((resolve) => subscription.once('subscribed', resolve));
  subscription.subscribe();
  client.connect();
  try {
    await subscribed;
    await act();
    return await received;
  } finally {
    client.disconnect();
  }
}

beforeAll(async () => {
  network = await new Network().start();
}, 60_000);

afterAll(async () => {
  for (const container of started.reverse()) await container.stop();
  await network.stop();
}, 60_000);

describe('the image', () => {
  it('runs the whole server in one process, not as root, and stops in order', async () => {
    const server = await service('serve', { health: { enabled: true } });
    const data = await firstPublication(server, 'news', () => publish(server, 'news', { n: 1 }));
    expect(data).toEqual({ n: 1 });
    const { output } = await server.exec(['node', '-p', 'process.getuid()']);
    expect(Number(output.trim())).toBeGreaterThan(0);
    const startedAt = performance.now();
    await server.stop({ remove: false, timeout: 20_000 });
    // A process that ignored the signal would be killed after twenty seconds.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  }, 120_000);

  it('runs gateway, api and auth-policy as services on NATS', async () => {
    const nats = await new GenericContainer(NATS_IMAGE)
      .withNetwork(network)
      .withNetworkAliases('nats')
      .withCommand(['-js', '-sd', '/tmp/nats', '-m', '8222'])
      .withWaitStrategy(Wait.forLogMessage(/Server is ready/))
      .start();
    started.push(nats);
    const cluster = { nats: { url: 'nats://nats:4222' } };
    const [gateway, api] = await Promise.all([
      service('gateway', cluster),
      service('api', cluster),
      service('auth-policy', cluster),
    ]);
    const data = await firstPublication(gateway, 'news', () => publish(api, 'news', { n: 2 }));
    expect(data).toEqual({ n: 2 });
  }, 120_000);
});
