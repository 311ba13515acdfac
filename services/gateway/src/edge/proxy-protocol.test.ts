import { afterEach, describe, expect, it } from 'vitest';
import { connectWs } from './fixture/ws-client.ts';
import { eventually, openRaw, upgradeRequest } from './fixture/raw-client.ts';
import { startEdge, type TestEdge } from './fixture/start-edge.ts';

let edge: TestEdge | undefined;
afterEach(() => edge?.close());

const PATH = '/connection/websocket';
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const REQUEST = 'GET /connection/init HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Version 2 of the header: an IPv4 address for TCP. */
function header(address: readonly number[]): Buffer {
  const ports = [0x30, 0x39, 0x1f, 0x40];
  return Buffer.concat([SIGNATURE, Uint8Array.of(0x21, 0x11, 0, 12, ...address, 127, 0, 0, 1, ...ports)]);
}

/** What a proxy sends that speaks for itself, as in a health check. */
const LOCAL = Buffer.concat([SIGNATURE, Uint8Array.of(0x20, 0, 0, 0)]);

async function addressSeen(proxyProtocol: boolean, first: Uint8Array): Promise<string | undefined> {
  edge = await startEdge({ settings: { proxyProtocol } });
  const raw = openRaw(edge.url);
  raw.write(Buffer.concat([first, Buffer.from(upgradeRequest(PATH))]));
  await eventually(() => expect(edge?.sessions).toHaveLength(1));
  raw.destroy();
  return edge.sessions[0]?.socket.request.remoteAddress;
}

describe('the PROXY protocol', () => {
  it('tells the address of the client', async () => {
    expect(await addressSeen(true, header([203, 0, 113, 7]))).toBe('203.0.113.7');
  });

  it('tells the backend, by the headers that a proxy of HTTP would set', async () => {
    const keptHeaders = new Set(['x-real-ip', 'x-forwarded-for', 'x-team']);
    edge = await startEdge({ settings: { proxyProtocol: true, keptHeaders } });
    const raw = openRaw(edge.url);
    const request = upgradeRequest(PATH, { 'X-Real-Ip': '9.9.9.9', 'X-Forwarded-For': '8.8.8.8', 'X-Team': 'a' });
    raw.write(Buffer.concat([header([203, 0, 113, 7]), Buffer.from(request)]));
    await eventually(() => expect(edge?.sessions).toHaveLength(1));
    expect(Object.fromEntries(edge.sessions[0]?.socket.request.headers ?? [])).toEqual({
      'x-real-ip': ['203.0.113.7'],
      'x-forwarded-for': ['8.8.8.8', '203.0.113.7'],
      'x-team': ['a'],
    });
    raw.destroy();
  });

  it('is not believed unless that is configured', async () => {
    expect(await addressSeen(false, header([203, 0, 113, 7]))).toBe('127.0.0.1');
  });

  it.each([
    ['a proxy that speaks for itself', LOCAL],
    ['no header', new Uint8Array(0)],
  ])('leaves the address of the peer for %s', async (_, first) => {
    expect(await addressSeen(true, first)).toBe('127.0.0.1');
  });

  it('tells IPv6 addresses', async () => {
    const address = [0x20, 0x01, 0x0d, 0xb8, ...Array.from({ length: 11 }, () => 0), 9];
    const rest = [...Array.from({ length: 16 }, () => 0), 0, 1, 0, 2];
    const first = Buffer.concat([SIGNATURE, Uint8Array.of(0x21, 0x21, 0, 36, ...address, ...rest)]);
    expect(await addressSeen(true, first)).toBe('2001:db8::9');
  });

  it.each([
    ['OPTIONS /emulation', 'HTTP/1.1 204 No Content'],
    ['HEAD /', 'HTTP/1.1 404 Not Found'],
  ])('ends the connection after an answer without a body to %s', async (request, answer) => {
    edge = await startEdge({ settings: { proxyProtocol: true } });
    const raw = openRaw(edge.url);
    raw.write(Buffer.concat([header([203, 0, 113, 7]), Buffer.from(`${request} HTTP/1.1\r\nHost: localhost\r\n\r\n`)]));
    let received = '';
    raw.on('data', (data: Buffer) => (received += data.toString()));
    await new Promise((resolve) => raw.once('end', resolve));
    expect(received.startsWith(answer)).toBe(true);
    expect(received.endsWith('\r\n\r\n')).toBe(true);
    raw.destroy();
  });

  // A client behind the proxy could otherwise put a header of its own before its second request.
  it.each([
    ['after an answer', true],
    ['in the packet of another request', false],
  ])('is not taken from a client %s', async (_, waits) => {
    edge = await startEdge({ settings: { proxyProtocol: true } });
    const raw = openRaw(edge.url);
    let received = '';
    let hasEnded = false;
    raw.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    raw.on('error', () => (hasEnded = true)).on('end', () => (hasEnded = true));
    const genuine = Buffer.concat([header([203, 0, 113, 7]), Buffer.from(REQUEST)]);
    const spoofed = Buffer.concat([header([9, 9, 9, 9]), Buffer.from(upgradeRequest(PATH))]);
    if (waits) {
      raw.write(genuine);
      await eventually(() => expect(received).toContain('{}'));
      raw.write(spoofed);
    } else {
      raw.write(Buffer.concat([genuine, spoofed]));
    }
    await eventually(() => expect(hasEnded).toBe(true));
    expect(received).not.toContain(' 101 ');
    expect(edge.sessions).toHaveLength(0);
    raw.destroy();
  });

  it('is not taken from a client while a stream is open', async () => {
    edge = await startEdge({ settings: { proxyProtocol: true } });
    const raw = openRaw(edge.url);
    raw.on('error', () => undefined);
    const stream = 'POST /connection/http_stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}';
    raw.write(Buffer.concat([header([203, 0, 113, 7]), Buffer.from(stream)]));
    await eventually(() => expect(edge?.sessions).toHaveLength(1));
    raw.write(Buffer.concat([header([9, 9, 9, 9]), Buffer.from(upgradeRequest(PATH))]));
    const other = connectWs(edge.wsUrl + PATH);
    await other.opened;
    expect(edge.sessions.map(({ socket }) => socket.request.remoteAddress)).toEqual(['203.0.113.7', '127.0.0.1']);
    raw.destroy();
  });
});
