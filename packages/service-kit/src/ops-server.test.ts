import { afterEach, describe, expect, it } from 'vitest';

import { createSilentLog } from './log/log.ts';
import type { Metrics } from './metrics.ts';
import { OpsServer, type OpsServerOptions } from './ops-server.ts';

const servers: OpsServer[] = [];

async function serve(options: Partial<OpsServerOptions> = {}): Promise<string> {
  const metrics: Pick<Metrics, 'render'> = {
    render: () => Promise.resolve({ contentType: 'text/plain', body: 'up 1\n' }),
  };
  const health = { report: () => ({ ok: true, reasons: [] }) };
  const server = new OpsServer({ health, metrics, log: createSilentLog(), port: 0, address: '127.0.0.1', ...options });
  servers.push(server);
  return `http://127.0.0.1:${await server.start()}`;
}

describe('OpsServer', () => {
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  it('serves health and metrics', async () => {
    const url = await serve();
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.text()]).toEqual([200, '{}']);
    const metrics = await fetch(`${url}/metrics?x=1`);
    expect([metrics.status, metrics.headers.get('content-type'), await metrics.text()]).toEqual([
      200,
      'text/plain',
      'up 1\n',
    ]);
  });

  it('serves them under other paths', async () => {
    const url = await serve({ healthPath: '/live', metricsPath: '/prom' });
    expect((await fetch(`${url}/live`)).status).toBe(200);
    expect((await fetch(`${url}/prom`)).status).toBe(200);
    expect((await fetch(`${url}/health`)).status).toBe(404);
  });

  it('answers 503 with the reasons when a check fails', async () => {
    const url = await serve({ health: { report: () => ({ ok: false, reasons: ['nats: away'] }) } });
    const response = await fetch(`${url}/health`);
    expect([response.status, await response.json()]).toEqual([503, { reasons: ['nats: away'] }]);
  });

  it('answers 404 and 405 to all else, and HEAD without a body', async () => {
    const url = await serve();
    expect((await fetch(`${url}/debug`)).status).toBe(404);
    expect((await fetch(`${url}/health`, { method: 'POST' })).status).toBe(405);
    const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', '']);
  });

  it('answers 500 when metrics cannot be rendered', async () => {
    const url = await serve({ metrics: { render: () => Promise.reject(new Error('broken')) } });
    expect((await fetch(`${url}/metrics`)).status).toBe(500);
  });

  it('says which port it cannot have', async () => {
    const port = Number(new URL(await serve()).port);
    await expect(serve({ port })).rejects.toMatchObject({
      code: 'ops_server_listen',
      message: expect.stringContaining(`${port}`),
    });
  });

  it('stops although a connection is kept alive', async () => {
    const url = await serve();
    await (await fetch(`${url}/health`)).text();
    await servers[0]?.stop();
    await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
  });
});
