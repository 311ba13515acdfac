import { afterEach, describe, expect, it } from 'vitest';
import { type TestEdge, type TestEdgeOptions, bytes, DEFAULT_SETTINGS, startEdge, text } from './fixture/start-edge.ts';
import { connectWs } from './fixture/ws-client.ts';
import { eventually, openRaw, textFrame, upgradeRequest, upgradeStatus } from './fixture/raw-client.ts';

let edge: TestEdge | undefined;
afterEach(() => edge?.close());

const PATH = '/connection/websocket';

async function start(options?: TestEdgeOptions): Promise<TestEdge> {
  edge = await startEdge(options);
  return edge;
}

describe('bidirectional WebSocket', () => {
  it('carries JSON text frames when nothing is negotiated', async () => {
    const { wsUrl, sessions } = await start({ onFrame: ({ socket }, frame) => socket.send(bytes(`got ${frame}`)) });
    const client = connectWs(`${wsUrl}${PATH}?cf_protocol_version=v1`);
    await client.opened;
    client.socket.send('{"id":1}');
    expect(await client.received(1)).toEqual(['got {"id":1}']);
    expect(client.socket.protocol).toBe('');
    expect(sessions[0]?.socket.traits).toEqual({
      name: 'websocket',
      encoding: 'json',
      form: 'json',
      unidirectional: false,
      emulated: false,
      applicationPing: true,
      topics: true,
    });
  });

  it.each(['?cf_protocol=protobuf', '?format=protobuf'])('carries binary frames with %s', async (query) => {
    const { wsUrl, sessions } = await start({ onFrame: ({ socket }, frame) => socket.send(bytes(frame)) });
    const client = connectWs(wsUrl + PATH + query);
    await client.opened;
    client.socket.send(Uint8Array.of(1, 2));
    expect(await client.received(1)).toEqual([Uint8Array.of(1, 2)]);
    expect(sessions[0]?.socket.traits.encoding).toBe('protobuf');
  });

  it.each([
    [['centrifuge-protobuf'], 'centrifuge-protobuf', 'protobuf'],
    [['centrifuge-json'], 'centrifuge-json', 'json'],
    [['other', 'centrifuge-protobuf'], 'centrifuge-protobuf', 'protobuf'],
  ])('echoes the subprotocol of %j', async (offered, chosen, encoding) => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH, offered);
    await client.opened;
    expect(client.socket.protocol).toBe(chosen);
    expect(sessions[0]?.socket.traits.encoding).toBe(encoding);
  });

  it('turns application pings off for control pings, and drops a client that is silent', async () => {
    const { wsUrl, sessions, clock } = await start({ fakeClock: true });
    const client = connectWs(`${wsUrl}${PATH}?cf_ws_frame_ping_pong=true`);
    await client.opened;
    const [session] = sessions;
    expect(session?.socket.traits.applicationPing).toBe(false);
    // The client answers pings by itself, so only time without a turn of the event loop makes it silent.
    clock.advanceSync(25_050 + 8050);
    expect((await client.closed).code).toBe(1006);
    expect(session?.closeCount).toBe(1);
  });

  it('keeps a client that answers control pings', async () => {
    const { wsUrl, sessions, clock } = await start({ fakeClock: true });
    const client = connectWs(`${wsUrl}${PATH}?cf_ws_frame_ping_pong=true`);
    await client.opened;
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(25_100);
      // The pong travels before what is sent after it.
      client.socket.send(`round ${round}`);
      await eventually(() => expect(sessions[0]?.frames).toHaveLength(round + 1));
    }
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('refuses an origin that is not allowed with 403, and lets requests without one in', async () => {
    const { url, wsUrl } = await start({ settings: { allowedOrigins: ['https://*.example.com'] } });
    expect(await upgradeStatus(url, PATH, { origin: 'https://evil.com' })).toBe(403);
    expect(await upgradeStatus(url, PATH, { origin: 'HTTPS://App.Example.com' })).toBe(101);
    await connectWs(wsUrl + PATH).opened;
  });

  it('refuses every origin when none is allowed', async () => {
    const { url } = await start();
    expect(await upgradeStatus(url, PATH, { origin: 'http://localhost' })).toBe(403);
    expect(await upgradeStatus(url, PATH, {})).toBe(101);
  });

  it('answers 503 over the connection limit, until a connection ends', async () => {
    const refused: string[] = [];
    const observer = {
      onRefused: (cause: string) => refused.push(cause),
      onEntered: () => undefined,
      onLeft: () => undefined,
      onSent: () => undefined,
      onPublished: () => undefined,
      onCloseFrame: () => undefined,
    };
    const { url, wsUrl, server } = await start({ settings: { connectionLimit: 1 }, observer });
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    expect(await upgradeStatus(url, PATH, { origin: 'http://evil.example' })).toBe(503);
    expect(refused).toEqual(['connection_limit']);
    const post = await fetch(url + PATH, { method: 'POST', body: 'x' });
    expect([post.status, await post.text(), post.headers.get('access-control-allow-credentials')]).toEqual([
      503,
      '',
      null,
    ]);
    client.socket.close();
    await eventually(() => expect(server.connections).toBe(0));
    expect(await upgradeStatus(url, PATH, {})).toBe(101);
  });

  it('answers requests that are not upgrades with 400, in words', async () => {
    const { url } = await start();
    for (const init of [{}, { method: 'POST', body: 'x' }]) {
      const response = await fetch(url + PATH, init);
      expect([response.status, await response.text()]).toEqual([400, 'Bad Request\n']);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'sec-websocket-version': '13',
        'x-content-type-options': 'nosniff',
        'access-control-allow-origin': '',
        'access-control-allow-credentials': 'true',
      });
    }
    const foreign = await fetch(url + PATH, { headers: { origin: 'http://evil.example' } });
    expect([foreign.status, foreign.headers.get('access-control-allow-credentials')]).toEqual([400, null]);
    const head = await fetch(url + PATH, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([400, '']);
  });

  it.each([
    [400, { Connection: 'keep-alive' }],
    [400, { Upgrade: 'h2c' }],
    [400, { 'Sec-WebSocket-Version': '8' }],
    [400, { 'Sec-WebSocket-Key': 'short' }],
    [400, { 'Sec-WebSocket-Key': 'no-base64-of-16-bytes!!!' }],
    [403, { 'Sec-WebSocket-Key': 'short', Origin: 'http://evil.example' }],
    [101, { Connection: 'keep-alive, upgrade', Upgrade: 'WebSocket' }],
  ])('answers %i to an upgrade with %j', async (status, headers) => {
    const { url } = await start();
    expect(await upgradeStatus(url, PATH, headers)).toBe(status);
  });

  it('closes with 1009 on a message over the limit, and takes one at the limit', async () => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    client.socket.send('x'.repeat(65_536));
    client.socket.send('x'.repeat(65_537));
    expect((await client.closed).code).toBe(1009);
    expect(sessions[0]?.frames.map(({ length }) => length)).toEqual([65_536]);
  });

  it('closes with code and reason after everything that was sent', async () => {
    const { wsUrl, sessions } = await start({
      onFrame: ({ socket }) => {
        socket.send(bytes('last words'));
        socket.close(3503, 'force disconnect');
        socket.send(bytes('too late'));
      },
    });
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    client.socket.send('x');
    expect(await client.closed).toEqual({ code: 3503, reason: 'force disconnect' });
    expect(client.messages).toEqual(['last words']);
    expect(sessions[0]?.closeCount).toBe(1);
  });

  it('cuts a reason to what a close frame carries, at a whole character', async () => {
    const { wsUrl } = await start({ onFrame: ({ socket }) => socket.close(4000, `${'x'.repeat(122)}é`) });
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    client.socket.send('x');
    expect(await client.closed).toEqual({ code: 4000, reason: 'x'.repeat(122) });
  });

  it('drops without a close frame', async () => {
    const { wsUrl, sessions } = await start({ onFrame: ({ socket }) => socket.drop() });
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    client.socket.send('x');
    expect((await client.closed).code).toBe(1006);
    expect(sessions[0]?.closeCount).toBe(1);
  });

  it('tells the session once when the client goes away, and ignores it afterwards', async () => {
    const { wsUrl, sessions, server } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    client.socket.close();
    await eventually(() => expect(sessions[0]?.closeCount).toBe(1));
    const socket = sessions[0]?.socket;
    socket?.send(bytes('x'));
    socket?.batch(() => socket.send(bytes('x')));
    socket?.subscribe('a');
    socket?.unsubscribe('a');
    socket?.close(3000, '');
    socket?.drop();
    expect(sessions[0]?.closeCount).toBe(1);
    expect(server.connections).toBe(0);
  });

  it('hands out frames that stay as they were', async () => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    client.socket.send('first');
    client.socket.send('second');
    await eventually(() => expect(sessions[0]?.rawFrames).toHaveLength(2));
    expect(sessions[0]?.rawFrames.map((frame) => text(frame))).toEqual(['first', 'second']);
  });

  it('completes the handshake of a stopping node and closes with 3001', async () => {
    const { wsUrl, server, sessions } = await start();
    server.drain();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    expect(await client.closed).toEqual({ code: 3001, reason: 'shutdown' });
    expect(sessions).toEqual([]);
    await eventually(() => expect(server.connections).toBe(0));
  });

  it('compresses when it is configured and the client can, up to the decompressed limit', async () => {
    const settings = {
      websocket: { ...DEFAULT_SETTINGS.websocket, compression: true, messageSizeLimit: 1000 },
    };
    const { wsUrl, sessions } = await start({
      settings,
      onFrame: ({ socket }, frame) => socket.send(bytes(frame)),
    });
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    expect(client.socket.extensions).toContain('permessage-deflate');
    client.socket.send('y'.repeat(10_000));
    expect(await client.received(1)).toEqual(['y'.repeat(10_000)]);
    client.socket.send('y'.repeat(10_001));
    expect((await client.closed).code).toBeGreaterThanOrEqual(1006);
    expect(sessions[0]?.frames).toHaveLength(1);
  });

  it.each([-1, 1, 2, 6, 9, 99])('compresses what it sends, at level %i', async (compressionLevel) => {
    const settings = { websocket: { ...DEFAULT_SETTINGS.websocket, compression: true, compressionLevel } };
    const { url } = await start({ settings, onFrame: ({ socket }) => socket.send(bytes('y'.repeat(10_000))) });
    const raw = openRaw(url);
    raw.write(upgradeRequest(PATH, { 'Sec-WebSocket-Extensions': 'permessage-deflate' }));
    let received = Buffer.alloc(0);
    raw.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
    await eventually(() => expect(received.toString('latin1')).toContain('\r\n\r\n'));
    received = Buffer.alloc(0);
    raw.write(textFrame('x'));
    // A text frame with the compression bit, and of a length that says that it is compressed.
    await eventually(() => expect(received[0]).toBe(0xc1));
    expect(received.length).toBeLessThan(126);
    raw.destroy();
  });

  it('keeps headers in lower case with every value, and believes trusted proxies about the address', async () => {
    const { url, sessions } = await start({ settings: { trustedProxyHops: 1 } });
    await upgradeStatus(url, PATH, { 'X-Forwarded-For': '9.9.9.9, 10.1.2.3', 'X-Team': 'a' });
    expect(sessions[0]?.socket.request.remoteAddress).toBe('10.1.2.3');
    expect(sessions[0]?.socket.request.headers.get('x-team')).toEqual(['a']);
  });

  it('keeps only the headers that are asked for, and the peer address without trusted proxies', async () => {
    const { url, sessions } = await start({ settings: { keptHeaders: new Set(['x-team']) } });
    await upgradeStatus(url, PATH, { 'X-Forwarded-For': '9.9.9.9', 'X-Team': 'a' });
    expect(sessions[0]?.socket.request.remoteAddress).toBe('127.0.0.1');
    expect([...(sessions[0]?.socket.request.headers.keys() ?? [])]).toEqual(['x-team']);
  });

  it('keeps the headers that a new configuration asks for, of new connections', async () => {
    const { url, sessions, server } = await start({ settings: { keptHeaders: new Set(['x-team']) } });
    const headers = { 'X-Other': 'b', 'X-Team': 'a' };
    await upgradeStatus(url, PATH, headers);
    await server.reload({ ...DEFAULT_SETTINGS, keptHeaders: new Set(['x-other']) });
    await upgradeStatus(url, PATH, headers);
    expect(sessions.map(({ socket }) => [...socket.request.headers.keys()])).toEqual([['x-team'], ['x-other']]);
  });

  it('accepts a request head of 12 KiB', async () => {
    const { url } = await start();
    expect(await upgradeStatus(url, PATH, { cookie: 'c'.repeat(12 * 1024) })).toBe(101);
  });
});
