import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { startStandalone } from '../harness/standalone.ts';
import { startBrowser, type Browser, type Page } from './browser.ts';
import { startPageServer, type PageServer } from './page-server.ts';

type Transport = 'websocket' | 'http_stream' | 'sse';

interface Endpoint {
  readonly transport: Transport;
  readonly endpoint: string;
}

let pages: PageServer;
let server: Deployment;
let browser: Browser;

beforeAll(async () => {
  pages = await startPageServer();
  server = await startStandalone({
    client: { allowed_origins: [pages.origin] },
    sse: { enabled: true },
    http_stream: { enabled: true },
    channel: {
      without_namespace: {
        allow_subscribe_for_client: true,
        allow_publish_for_subscriber: true,
        allow_presence_for_subscriber: true,
        presence: true,
        history_size: 10,
        history_ttl: '60s',
        force_recovery: true,
      },
    },
  });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.stop();
  await server?.stop();
  await pages?.stop();
});

const endpointOf = (transport: Transport): Endpoint => ({
  transport,
  endpoint: transport === 'websocket' ? server.wsUrl() : `${server.gatewayUrl()}/connection/${transport}`,
});

async function openClient(user: string, endpoints: readonly Endpoint[]): Promise<Page> {
  const page = await browser.open(`${pages.origin}/`);
  const options = {
    token: server.token(user),
    emulationEndpoint: `${server.gatewayUrl()}/emulation`,
    minReconnectDelay: 50,
    maxReconnectDelay: 500,
  };
  await page.run(`
    window.seen = [];
    window.recovered = [];
    window.client = new Centrifuge(${JSON.stringify(endpoints)}, ${JSON.stringify(options)});
    client.on('connected', ({ transport }) => { window.transport = transport; });
    client.connect();
    client.ready(20000);
  `);
  return page;
}

const subscribe = (channel: string): string => `
  window.sub = client.newSubscription(${JSON.stringify(channel)});
  sub.on('publication', ({ data }) => seen.push(data));
  sub.on('subscribed', ({ wasRecovering, recovered }) => { if (wasRecovering) window.recovered.push(recovered); });
  sub.subscribe();
  sub.ready(20000);
`;

describe.each(['websocket', 'http_stream', 'sse'] as const)('the official client in a browser over %s', (transport) => {
  it('subscribes, gets and sends publications, sees who is there, and recovers what it missed', async () => {
    const channel = `room-${transport}`;
    const page = await openClient(`u-${transport}`, [endpointOf(transport)]);
    expect(await page.run('transport')).toBe(transport);
    await page.run(subscribe(channel));
    await server.api('publish', { channel, data: { from: 'the api' } });
    await eventually(async () => expect(await page.run('seen')).toEqual([{ from: 'the api' }]));
    await page.run(`sub.publish({ from: 'the page', text: 'ÿ 漢 😀' })`);
    await eventually(async () => expect(await page.run('seen.at(-1)')).toEqual({ from: 'the page', text: 'ÿ 漢 😀' }));
    expect(
      await page.run('sub.presence().then(({ clients }) => Object.values(clients).map(({ user }) => user))'),
    ).toEqual([`u-${transport}`]);
    await page.run('client.disconnect()');
    await eventually(async () => {
      const { body } = await server.api('presence_stats', { channel });
      expect(body.result).toEqual({ num_clients: 0, num_users: 0 });
    });
    await server.api('publish', { channel, data: { from: 'afar' } });
    await page.run('client.connect(); sub.ready(20000)');
    await eventually(async () =>
      expect(await page.run('[seen.at(-1), recovered]')).toEqual([{ from: 'afar' }, [true]]),
    );
    expect(await page.run('seen.length')).toBe(3);
    await page.run('client.disconnect()');
  });
});

describe('a browser where WebSockets are blocked', () => {
  it.each(['http_stream', 'sse'] as const)('falls back to %s by itself', async (fallback) => {
    const blocked: Endpoint = { transport: 'websocket', endpoint: `ws://127.0.0.1:${pages.port}/connection/websocket` };
    const refused = pages.refusedUpgrades();
    const page = await openClient('blocked', [blocked, endpointOf(fallback)]);
    expect(await page.run('transport')).toBe(fallback);
    expect(pages.refusedUpgrades()).toBeGreaterThan(refused);
    await page.run(subscribe(`fallback-${fallback}`));
    await server.api('publish', { channel: `fallback-${fallback}`, data: 'still here' });
    await eventually(async () => expect(await page.run('seen')).toEqual(['still here']));
    await page.run('client.disconnect()');
  });

  it('is refused when its origin is not allowed', async () => {
    const page = await browser.open('about:blank');
    const status = `fetch(${JSON.stringify(`${server.gatewayUrl()}/connection/http_stream`)}, { method: 'POST', body: '{}' })
      .then(() => 'let in', () => 'refused')`;
    expect(await page.run(status)).toBe('refused');
  });
});
