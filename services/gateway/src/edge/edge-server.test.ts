import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { respond } from './http/respond.ts';
import { eventually, openRaw } from './fixture/raw-client.ts';
import { DEFAULT_SETTINGS, startEdge, type TestEdge } from './fixture/start-edge.ts';
import { connectWs } from './fixture/ws-client.ts';

const edges: TestEdge[] = [];
afterEach(() => edges.splice(0).forEach((edge) => edge.close()));

async function start(...args: Parameters<typeof startEdge>): Promise<TestEdge> {
  const edge = await startEdge(...args);
  edges.push(edge);
  return edge;
}

describe('edge server', () => {
  it('says which address is taken', async () => {
    const { server } = await start();
    const listen = { address: '127.0.0.1', port: server.port };
    await expect(start({ settings: { listen } })).rejects.toThrow(
      expect.objectContaining({ code: 'listen_failed', message: expect.stringContaining(`127.0.0.1:${server.port}`) }),
    );
  });

  it('shares a port with other processes when it is told to', async () => {
    const port = await freePort();
    const listen = { address: '127.0.0.1', port };
    const first = await start({ settings: { sharePort: true, listen } });
    const second = await start({ settings: { sharePort: true, listen } });
    expect([first.server.port, second.server.port]).toEqual([port, port]);
  });

  it('answers the probe before connecting', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/connection/init`);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
    expect(await response.text()).toBe('{}');
    const foreign = await fetch(`${url}/connection/init`, { headers: { origin: 'http://evil.example' } });
    expect([foreign.status, foreign.headers.get('access-control-allow-credentials')]).toEqual([200, null]);
  });

  it('serves 404 for what is switched off or unknown', async () => {
    const sse = { ...DEFAULT_SETTINGS.sse, enabled: false };
    const { url } = await start({ settings: { sse, init: { enabled: false, handlerPrefix: '/connection/init' } } });
    expect((await fetch(`${url}/connection/sse`)).status).toBe(404);
    expect((await fetch(`${url}/connection/init`)).status).toBe(404);
    const unknown = await fetch(`${url}/`);
    expect([unknown.status, unknown.headers.get('content-type'), await unknown.text()]).toEqual([
      404,
      'text/plain; charset=utf-8',
      '404 page not found\n',
    ]);
    expect(unknown.headers.get('x-content-type-options')).toBe('nosniff');
    const raw = openRaw(url);
    let received = '';
    raw.on('data', (data: Buffer) => (received += data.toString()));
    raw.write('HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /connection/sse HTTP/1.1\r\nHost: localhost\r\n\r\n');
    // A body would be taken for the next answer.
    const head = 'HTTP/1\\.1 404 Not Found\\r\\n([\\w-]+: .+\\r\\n)+\\r\\n';
    await eventually(() => expect(received).toMatch(new RegExp(`^${head}${head}$`)));
    raw.destroy();
  });

  it('serves configured prefixes, with or without slashes around', async () => {
    const init = { enabled: true, handlerPrefix: 'a/b/' };
    const { url } = await start({ settings: { init } });
    expect((await fetch(`${url}/a/b`)).status).toBe(200);
  });

  it('has no emulation endpoint without an emulated transport', async () => {
    const off = { enabled: false };
    const { url } = await start({
      settings: { sse: { ...DEFAULT_SETTINGS.sse, ...off }, httpStream: { ...DEFAULT_SETTINGS.httpStream, ...off } },
    });
    expect((await fetch(`${url}/emulation`, { method: 'POST', body: '{}' })).status).toBe(404);
  });

  it('keeps internal routes on a listener of their own', async () => {
    const { server, url } = await start({
      settings: { internalListen: { address: '127.0.0.1', port: 0 } },
      beforeListen: (server) => server.mount('internal', (app) => app.get('/health', (res) => respond(res, 200))),
    });
    expect(server.internalPort).not.toBe(server.port);
    expect((await fetch(`${url}/health`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${server.internalPort}/health`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${server.internalPort}/connection/init`)).status).toBe(404);
  });

  it('serves internal routes on the main listener when it is the only one', async () => {
    const { url } = await start({
      beforeListen: (server) => server.mount('internal', (app) => app.get('/health', (res) => respond(res, 200))),
    });
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('tells every session when it closes', async () => {
    const { wsUrl, url, server, sessions } = await start();
    const client = connectWs(`${wsUrl}/connection/websocket`);
    await client.opened;
    const stream = await fetch(`${url}/connection/sse`, { method: 'POST', body: '{}' });
    server.close();
    await client.closed;
    await expect(stream.text()).rejects.toThrow();
    await eventually(() => expect(sessions.map(({ closeCount }) => closeCount)).toEqual([1, 1]));
    expect(server.connections).toBe(0);
  });

  it('speaks TLS with PEM from the configuration', async () => {
    const { certPem, keyPem } = selfSigned();
    const { server } = await start({
      settings: { listen: { address: '127.0.0.1', port: 0, tls: { certPem, keyPem, clientCaPem: '' } } },
    });
    expect(await httpsStatus(server.port)).toBe(200);
  });

  it('says that certificate and key are unusable', async () => {
    const tls = { certPem: 'no pem', keyPem: 'no pem', clientCaPem: '' };
    await expect(start({ settings: { listen: { address: '127.0.0.1', port: 0, tls } } })).rejects.toThrow(
      expect.objectContaining({ code: 'tls_unusable' }),
    );
  });

  it('tells a session that closes its socket at once', async () => {
    const { wsUrl, url, sessions, server } = await start({ onAccept: ({ socket }) => socket.close(3502, 'stale') });
    const client = connectWs(`${wsUrl}/connection/websocket?cf_ws_frame_ping_pong=true`);
    expect((await client.closed).code).toBe(3502);
    await (await fetch(`${url}/connection/sse`, { method: 'POST', body: '{}' })).text();
    expect(sessions.map(({ closeCount, frames }) => [closeCount, frames.length])).toEqual([
      [1, 0],
      [1, 0],
    ]);
    expect(server.connections).toBe(0);
  });

  it('refuses to be open where client certificates are required', async () => {
    const tls = { certPem: '', keyPem: '', clientCaPem: 'pem' };
    await expect(start({ settings: { listen: { address: '127.0.0.1', port: 0, tls } } })).rejects.toThrow(
      expect.objectContaining({ code: 'client_certificates_unsupported' }),
    );
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function httpsStatus(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/connection/init', rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

function selfSigned(): { certPem: string; keyPem: string } {
  const folder = mkdtempSync(join(tmpdir(), 'edge-test-'));
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=localhost',
      ].concat(['-days', '1', '-keyout', key, '-out', cert]),
      { stdio: 'ignore' },
    );
    return { certPem: readFileSync(cert, 'utf8'), keyPem: readFileSync(key, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
