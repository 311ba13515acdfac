import { request } from 'node:https';
import { createServer } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { subjectAt } from '@carillon/dev-tools/test-certificate';
import { afterEach, describe, expect, it } from 'vitest';
import { App, us_socket_local_port } from 'uWebSockets.js';
import { apiSettings } from '../../config.ts';
import { freshCertificate } from '../../fixture/fresh-certificate.ts';
import { post } from '../../fixture/http-call.ts';
import { configOf, startApi, type RunningApi } from '../../fixture/start-api.ts';
import { TEST_CERT_PEM, TEST_KEY_PEM } from '../../fixture/tls-fixture.ts';

const running: RunningApi[] = [];
afterEach(async () => {
  for (const api of running.splice(0)) await api.close();
});

async function start(file: object = {}): Promise<RunningApi> {
  const api = await startApi(file);
  running.push(api);
  return api;
}

describe('ports of the api service', () => {
  it('serve health and metrics beside the API', async () => {
    const api = await start();
    const health = await fetch(`${api.url}/health`);
    expect([health.status, await health.text()]).toEqual([200, '{}']);
    expect(await (await fetch(`${api.url}/metrics`)).text()).toContain('carillon_api_requests_in_flight');
  });

  it('answer probes whatever their method', async () => {
    const api = await start();
    for (const [method, body] of [
      ['HEAD', ''],
      ['POST', '{}'],
    ] as const) {
      const health = await fetch(`${api.url}/health`, { method });
      expect([health.status, await health.text()]).toEqual([200, body]);
    }
    expect((await fetch(`${api.url}/metrics`, { method: 'HEAD' })).status).toBe(200);
  });

  it('say clearly when a port is taken', async () => {
    const api = await start();
    const http = Number(new URL(api.url).port);
    await expect(startApi({}, { http })).rejects.toMatchObject({
      code: 'api_http_listen',
      message: expect.stringContaining(`127.0.0.1:${http}`) as string,
    });
  });

  it('serve TLS', async () => {
    const tls = { enabled: true, cert_pem: TEST_CERT_PEM, key_pem: TEST_KEY_PEM };
    const api = await start({ http_server: { tls } });
    const port = new URL(api.url).port;
    const status = await new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path: '/health', servername: 'api.test', ca: TEST_CERT_PEM };
      request(options, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });

  it('give new connections a new certificate, and keep the old ones', async () => {
    const file = (name: string): object => ({ http_server: { tls: { enabled: true, ...freshCertificate(name) } } });
    // Linux takes a port over only from a socket that asked for it by number.
    const api = await startApi(file('one'), { http: await freePort() });
    running.push(api);
    const port = Number(new URL(api.url).port);
    const old = await tlsConnection(port);
    expect(await statusOver(old)).toContain(' 200 ');
    await api.api.useCertificates(configOf(file('two'), { http: port }));
    expect(await subjectAt(port)).toBe('two');
    expect(await statusOver(old)).toContain(' 200 ');
    const bad = {
      http_server: { tls: { enabled: true, cert_pem: TEST_CERT_PEM, key_pem: freshCertificate('x').key_pem } },
    };
    await expect(api.api.useCertificates(configOf(bad, { http: port }))).rejects.toMatchObject({ code: 'api_tls' });
    expect(await subjectAt(port)).toBe('two');
    old.destroy();
  });

  it('refuse to start where clients must have certificates', async () => {
    const tls = { enabled: true, cert_pem: TEST_CERT_PEM, key_pem: TEST_KEY_PEM, client_ca_pem: TEST_CERT_PEM };
    await expect(startApi({ http_server: { tls } })).rejects.toMatchObject({ code: 'client_certificates_unsupported' });
  });

  it('are taken no more after a drain', async () => {
    const api = await start();
    await api.api.drain();
    await expect(fetch(`${api.url}/health`)).rejects.toThrow('fetch failed');
  });

  it('keep the page of the API inside where the API itself is outside, and where it is off', async () => {
    const internal = await freePort();
    const swagger = { enabled: true };
    const http_server = { internal_port: internal, internal_address: '127.0.0.1' };
    const { url } = await start({ swagger, http_server, http_api: { key: 'k', external: true } });
    expect((await fetch(`${url}/api/info`)).status).toBe(405);
    expect((await fetch(`${url}/swagger`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${internal}/swagger`)).status).toBe(200);
    const off = await start({ swagger, http_api: { disabled: true } });
    expect((await fetch(`${off.url}/swagger`)).status).toBe(200);
  });

  it('follow the table of endpoints by listener', () => {
    const listenersOf = (file: object): unknown =>
      apiSettings(configOf(file)).listeners.map(({ port, servesApi, servesOps }) => [port, servesApi, servesOps]);
    expect(listenersOf({})).toEqual([[0, true, true]]);
    expect(listenersOf({ http_server: { internal_port: 9000 } })).toEqual([[9000, true, true]]);
    expect(listenersOf({ http_server: { internal_port: 9000 }, http_api: { external: true } })).toEqual([
      [0, true, false],
      [9000, false, true],
    ]);
  });
});

function tlsConnection(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => resolve(socket));
    socket.on('error', reject);
  });
}

function statusOver(socket: TLSSocket): Promise<string> {
  socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return new Promise((resolve) => {
    socket.once('data', (data: Buffer) => resolve(data.toString('latin1')));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

describe('an app of somebody else', () => {
  it('gets the routes of the API and keeps its own', async () => {
    const { api } = await start();
    const app = App();
    app.any('/*', (response) => void response.writeStatus('418 Teapot').end('own'));
    api.mount(app);
    const port = await new Promise<number>((resolve, reject) => {
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket === false) reject(new Error('no port'));
        else resolve(us_socket_local_port(socket));
      });
    });
    const mounted = { url: `http://127.0.0.1:${port}` };
    expect((await post(mounted, '/api/info', {})).status).toBe(200);
    expect((await post(mounted, '/api/nope', {})).text).toBe('404 page not found\n');
    expect(await post(mounted, '/elsewhere', {})).toMatchObject({ status: 418, text: 'own' });
    app.close();
  });
});
