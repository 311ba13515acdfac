import { createServer } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { subjectAt } from '@carillon/dev-tools/test-certificate';
import { afterEach, describe, expect, it } from 'vitest';
import type { TlsSettings } from './edge-settings.ts';
import { certificate } from './fixture/certificate.ts';
import { bytes, DEFAULT_SETTINGS, startEdge, type TestEdge } from './fixture/start-edge.ts';

let edge: TestEdge | undefined;
afterEach(() => {
  edge?.close();
  edge = undefined;
});

describe('a listener with TLS', () => {
  it('gives new connections a new certificate, and keeps and feeds the old ones', async () => {
    const { server, port } = await startWith(certificate('one'), await freePort());
    const before = await client(port);
    await server.reload(settings(certificate('two')));
    const after = await client(port);
    expect([server.port, await subjectAt(port)]).toEqual([port, 'two']);
    const received = Promise.all([before, after].map(textOf));
    server.publisher.publish('t', bytes('{}'), { form: 'json', frameType: 'push_publication', receivers: 2 });
    expect((await received).map((frame) => frame.slice(-2))).toEqual(['{}', '{}']);
    expect(server.connections).toBe(2);
    before.destroy();
    after.destroy();
  });

  it('keeps the certificate when the new one is unusable, or the same', async () => {
    const one = certificate('one');
    const { server, port } = await startWith(one, 0);
    const bad = { certPem: 'no pem', keyPem: 'no pem', clientCaPem: '' };
    await expect(server.reload(settings(bad))).rejects.toMatchObject({ code: 'tls_unusable' });
    await server.reload(settings(one));
    expect(await subjectAt(port)).toBe('one');
  });

  it('lets go the connections of certificates that are long gone', async () => {
    const { server, port } = await startWith(certificate('0'), await freePort());
    const first = await client(port);
    const closed = new Promise((resolve) => {
      first.once('close', resolve);
    });
    for (let change = 1; change <= 5; change += 1) {
      await server.reload(settings(certificate(String(change))));
      expect(server.connections).toBe(change < 5 ? 1 : 0);
    }
    await closed;
    expect([await subjectAt(port), server.connections]).toEqual(['5', 0]);
  });
});

async function startWith(tls: TlsSettings, port: number): Promise<{ server: TestEdge['server']; port: number }> {
  edge = await startEdge({
    settings: { ...settings(tls), listen: { address: '127.0.0.1', port, tls } },
    onAccept: ({ socket }) => socket.subscribe('t'),
  });
  return { server: edge.server, port: edge.server.port };
}

function settings(tls: TlsSettings): typeof DEFAULT_SETTINGS {
  return { ...DEFAULT_SETTINGS, listen: { address: '127.0.0.1', port: 0, tls } };
}

const UPGRADE = [
  'GET /connection/websocket HTTP/1.1',
  'Host: carillon.test',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

/** A WebSocket over TLS whose certificate nobody checks, after its handshake. */
async function client(port: number): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  socket.write(`${UPGRADE.join('\r\n')}\r\n\r\n`);
  expect(await textOf(socket)).toContain(' 101 ');
  return socket;
}

function textOf(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (data: Buffer) => resolve(data.toString()));
  });
}

/** Linux takes a port over only from a socket that asked for it by number. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
