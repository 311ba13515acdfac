import { afterEach, describe, expect, it } from 'vitest';
import { protobufCodec } from '@carillon/protocol/client';
import { eventually, openRaw } from './fixture/raw-client.ts';
import { bytes, DEFAULT_SETTINGS, startEdge, type TestEdge, type TestEdgeOptions, text } from './fixture/start-edge.ts';

let edge: TestEdge | undefined;
afterEach(() => edge?.close());

async function start(options?: TestEdgeOptions): Promise<TestEdge> {
  edge = await startEdge(options);
  return edge;
}

/** What the stream has brought when it has ended. */
async function all(response: Response): Promise<string> {
  return text(new Uint8Array(await response.arrayBuffer()));
}

const post = (body: string | Uint8Array, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body,
  headers,
});

const STREAM_HEADERS = {
  'x-accel-buffering': 'no',
  'cache-control': 'private, no-cache, no-store, must-revalidate, max-age=0',
  pragma: 'no-cache',
  expire: '0',
  connection: 'keep-alive',
};

const BYE: TestEdgeOptions = {
  onFrame: ({ socket }, frame) => {
    socket.send(bytes(`got ${frame}`));
    socket.send(bytes('{}'));
    socket.close(3503, 'force disconnect');
  },
};

describe('http_stream', () => {
  const path = '/connection/http_stream';

  it('hands the body to a session and streams lines until the disconnect push', async () => {
    const { url, sessions } = await start(BYE);
    const response = await fetch(url + path, post('{"id":1,"connect":{}}'));
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      ...STREAM_HEADERS,
      'content-type': 'text/plain; charset=utf-8',
      'access-control-allow-origin': '',
    });
    expect(await all(response)).toBe(
      'got {"id":1,"connect":{}}\n{}\n{"push":{"disconnect":{"code":3503,"reason":"force disconnect"}}}\n',
    );
    expect(sessions[0]).toMatchObject({ closeCount: 1 });
    expect(sessions[0]?.socket.traits).toMatchObject({ form: 'json', emulated: true, topics: false });
  });

  it('speaks Protobuf to exactly application/octet-stream', async () => {
    const { url, sessions } = await start({
      onFrame: ({ socket }) => {
        socket.send(Uint8Array.of(0));
        socket.close(3001, 'shutdown');
      },
    });
    const response = await fetch(url + path, post(Uint8Array.of(1, 2), { 'Content-Type': 'application/octet-stream' }));
    const body = new Uint8Array(await response.arrayBuffer());
    const push = protobufCodec.encodeReply({ push: { disconnect: { code: 3001, reason: 'shutdown' } } });
    expect(body).toEqual(Uint8Array.of(0, ...push));
    expect(sessions[0]?.rawFrames[0]).toEqual(Uint8Array.of(1, 2));
    expect(sessions[0]?.socket.traits.form).toBe('protobuf');
  });

  it('joins the messages of a batch and of a turn in single chunks of at most 16', async () => {
    const { url } = await start({
      onFrame: ({ socket }) => {
        socket.batch(() => {
          for (let count = 0; count < 18; count += 1) socket.send(bytes('b'));
        });
        socket.send(bytes('t'));
        socket.send(bytes('t'));
      },
    });
    const raw = openRaw(url);
    raw.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`);
    let received = '';
    raw.on('data', (chunk: Buffer) => (received += chunk.toString()));
    await eventually(() =>
      expect(received.split('\r\n\r\n')[1]).toBe(`20\r\n${'b\n'.repeat(16)}\r\n4\r\nb\nb\n\r\n4\r\nt\nt\n`),
    );
    raw.destroy();
  });

  it('answers a preflight, and other methods with 405', async () => {
    const { url } = await start({ settings: { allowedOrigins: ['*'] } });
    const headers = { origin: 'https://a.com', 'access-control-request-headers': 'content-type' };
    const preflight = await fetch(url + path, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-max-age': '300',
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-origin': 'https://a.com',
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'content-type',
    });
    expect((await fetch(url + path)).status).toBe(405);

    headers['access-control-request-headers'] = 'null';
    const none = await fetch(url + path, { method: 'OPTIONS', headers });
    expect(none.headers.get('access-control-allow-origin')).toBe('https://a.com');
    expect(none.headers.get('access-control-allow-headers')).toBeNull();
  });

  it('serves a refused origin without CORS headers', async () => {
    const { url } = await start(BYE);
    const response = await fetch(url + path, post('x', { origin: 'https://evil.com' }));
    expect(response.status).toBe(200);
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });

  it.each([65_537, 500_000])('answers a body of %i bytes with 413', async (size) => {
    const { url, sessions } = await start(BYE);
    const response = await fetch(url + path, post('x'.repeat(size)));
    expect([response.status, response.headers.get('connection')]).toEqual([413, 'close']);
    expect(sessions).toEqual([]);
    expect((await fetch(url + path, post('x'.repeat(65_536)))).status).toBe(200);
  });

  it('tells the session when the client cancels', async () => {
    const { url, sessions, server } = await start({ onFrame: ({ socket }) => socket.send(bytes('hello')) });
    const abort = new AbortController();
    const response = await fetch(url + path, { ...post('x'), signal: abort.signal });
    expect(response.status).toBe(200);
    expect(server.connections).toBe(1);
    abort.abort();
    await eventually(() => expect(sessions[0]?.closeCount).toBe(1));
    const socket = sessions[0]?.socket;
    socket?.send(bytes('x'));
    socket?.batch(() => socket.send(bytes('x')));
    socket?.close(3503, 'x');
    socket?.drop();
    expect(sessions[0]?.closeCount).toBe(1);
    expect(server.connections).toBe(0);
  });

  it.each([3000, 3008])('ends without a push on %i', async (code) => {
    const { url, sessions } = await start({
      onFrame: ({ socket }) => {
        socket.send(bytes('hello'));
        socket.close(code, 'x');
      },
    });
    await expect(fetch(url + path, post('x')).then(all)).rejects.toThrow();
    expect(sessions[0]?.closeCount).toBe(1);
  });

  it('answers 503 when the node is full or stopping', async () => {
    const { url, server } = await start({ ...BYE, settings: { connectionRateLimit: 1 } });
    expect((await fetch(url + path, post('x'))).status).toBe(200);
    for (const init of [post('x'), { method: 'OPTIONS' }, { method: 'PUT' }]) {
      const refused = await fetch(url + path, init);
      expect([refused.status, refused.headers.get('access-control-allow-credentials')]).toEqual([503, null]);
    }
    server.drain();
    expect((await fetch(url + path, post('x'))).status).toBe(503);
  });

  it('carries more than the kernel buffers to a client that reads late', async () => {
    const message = new Uint8Array(50_000).fill(0x61);
    const { url, sessions } = await start({
      settings: { queueMaxSize: 20_000_000 },
      onFrame: ({ socket }) => {
        for (let count = 0; count < 200; count += 1) socket.send(message);
      },
    });
    const raw = openRaw(url);
    raw.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`);
    raw.pause();
    await eventually(() => expect(sessions).toHaveLength(1));
    let count = 0;
    raw.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 0x61) count += 1;
    });
    raw.pause();
    // Long enough for the kernel to be full.
    await new Promise((resolve) => setTimeout(resolve, 50));
    raw.resume();
    await eventually(() => expect(count).toBeGreaterThanOrEqual(10_000_000));
    sessions[0]?.socket.send(bytes('aaaaaaa'));
    await eventually(() => expect(count).toBeGreaterThanOrEqual(10_000_007));
    raw.destroy();
  });

  it('reports a client that does not read once, and drops it', async () => {
    const { url, sessions } = await start();
    const raw = openRaw(url);
    raw.on('error', () => raw.destroy());
    raw.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`);
    raw.pause();
    await eventually(() => expect(sessions).toHaveLength(1));
    const message = new Uint8Array(60_000);
    await eventually(() => {
      for (let count = 0; count < 10; count += 1) sessions[0]?.socket.send(message);
      expect(sessions[0]).toMatchObject({ slowCount: 1, closeCount: 1 });
    });
    raw.destroy();
  });

  it('drops a client that takes nothing for the time of a write, however little waits', async () => {
    const { url, sessions, clock } = await start({ fakeClock: true, settings: { queueMaxSize: 50_000_000 } });
    const raw = openRaw(url);
    raw.on('error', () => raw.destroy());
    raw.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`);
    raw.pause();
    await eventually(() => expect(sessions).toHaveLength(1));
    for (let count = 0; count < 400; count += 1) sessions[0]?.socket.send(new Uint8Array(60_000));
    await new Promise(setImmediate);
    await clock.advance(750);
    expect(sessions[0]?.slowCount).toBe(0);
    await clock.advance(750);
    await eventually(() => expect(sessions[0]).toMatchObject({ slowCount: 1, closeCount: 1 }));
    raw.destroy();
  });

  it('keeps a client that takes some', async () => {
    const { url, sessions, clock } = await start({ fakeClock: true, settings: { queueMaxSize: 50_000_000 } });
    const raw = openRaw(url);
    raw.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`);
    let received = 0;
    raw.on('data', (chunk: Buffer) => (received += chunk.length));
    raw.pause();
    await eventually(() => expect(sessions).toHaveLength(1));
    for (let count = 0; count < 700; count += 1) sessions[0]?.socket.send(new Uint8Array(60_000));
    await new Promise(setImmediate);
    await clock.advance(750);
    // More than the kernel holds, so the server has written since.
    raw.resume();
    await eventually(() => expect(received).toBeGreaterThanOrEqual(20_000_000));
    raw.pause();
    await clock.advance(750);
    expect(sessions[0]?.slowCount).toBe(0);
    raw.resume();
    await eventually(() => expect(received).toBeGreaterThanOrEqual(42_000_000));
    await clock.advance(3000);
    expect(sessions[0]).toMatchObject({ slowCount: 0, closeCount: 0 });
    raw.destroy();
  });

  it('gives up after five seconds when a client does not take the disconnect', async () => {
    const { url, sessions, clock } = await start({ fakeClock: true, settings: { queueMaxSize: 50_000_000 } });
    const raw = openRaw(url);
    raw.on('error', () => raw.destroy());
    raw.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`);
    raw.pause();
    await eventually(() => expect(sessions).toHaveLength(1));
    const socket = sessions[0]?.socket;
    for (let count = 0; count < 400; count += 1) socket?.send(new Uint8Array(60_000));
    socket?.close(3503, 'x');
    await clock.advance(4900);
    expect(sessions[0]?.closeCount).toBe(0);
    await clock.advance(200);
    expect(sessions[0]?.closeCount).toBe(1);
    raw.destroy();
  });
});

describe('sse', () => {
  const path = '/connection/sse';
  const connect = '{"id":1,"connect":{"name":"é+ %"}}';

  it.each([
    ['a GET', (url: string) => fetch(`${url}${path}?cf_connect=${encodeURIComponent(connect)}`)],
    ['a POST', (url: string) => fetch(url + path, post(connect))],
  ])('streams events to %s', async (_, request) => {
    const { url } = await start(BYE);
    const response = await request(url);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      ...STREAM_HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
    });
    expect(await all(response)).toBe(
      `\r\ndata: got ${connect}\n\ndata: {}\n\ndata: {"push":{"disconnect":{"code":3503,"reason":"force disconnect"}}}\n\n`,
    );
  });

  it('answers 400 without a connect command, 405 to other methods and 413 to large bodies', async () => {
    const { url } = await start(BYE);
    expect((await fetch(url + path)).status).toBe(400);
    expect((await fetch(`${url}${path}?cf_connect=`)).status).toBe(400);
    expect((await fetch(`${url}${path}?cf_connect=%7B%7`)).status).toBe(400);
    expect((await fetch(url + path, { method: 'PUT', body: connect })).status).toBe(405);
    expect((await fetch(url + path, { method: 'OPTIONS' })).status).toBe(405);
    expect((await fetch(url + path, post('x'.repeat(65_537)))).status).toBe(413);
  });

  it('begins before the session has said anything', async () => {
    const { url } = await start();
    const response = await fetch(url + path, post(connect));
    const first = await response.body?.getReader().read();
    expect(text(first?.value ?? new Uint8Array(0))).toBe('\r\n');
  });
});

describe('uni_sse', () => {
  const path = '/connection/uni_sse';
  const withQuery = (query: string): string => `${path}?cf_connect=${encodeURIComponent(query)}`;

  it.each([
    ['nothing', path, undefined, '{}'],
    ['an empty query', `${path}?cf_connect=`, undefined, '{}'],
    ['a query that is no encoding', `${path}?cf_connect=%zz`, undefined, '{}'],
    ['the readable one of two queries', `${path}?cf_connect=;&cf_connect={}`, undefined, '{}'],
    ['null in the query', withQuery('null'), undefined, '{}'],
    ['a query', withQuery('{"token":"t"}'), undefined, '{"token":"t"}'],
    ['a body', path, '{"token":"t"}', '{"token":"t"}'],
    ['null in the body', path, 'null', 'null'],
  ])('takes a connect request from %s', async (_, target, body, frame) => {
    const { url, sessions } = await start(BYE);
    const response = await fetch(url + target, body === undefined ? {} : post(body));
    expect(await all(response)).toBe(
      `\r\ndata: got ${frame}\n\ndata: {}\n\ndata: {"disconnect":{"code":3503,"reason":"force disconnect"}}\n\n`,
    );
    expect(sessions[0]?.socket.traits).toMatchObject({ form: 'uni_json', unidirectional: true, emulated: false });
  });

  it('answers a bad connect request with 400', async () => {
    const { url } = await start(BYE);
    expect((await fetch(url + withQuery('{'))).status).toBe(400);
    expect((await fetch(url + path, post(''))).status).toBe(400);
    expect((await fetch(url + path, post('[]'))).status).toBe(400);
    expect((await fetch(url + path, post('x'.repeat(65_537)))).status).toBe(413);
    expect((await fetch(url + path, { method: 'DELETE' })).status).toBe(405);
  });
});

describe('uni_http_stream', () => {
  const path = '/connection/uni_http_stream';

  it('streams bare pushes as lines', async () => {
    const { url } = await start(BYE);
    const response = await fetch(url + path, post('null'));
    expect(await all(response)).toBe('got null\n{}\n{"disconnect":{"code":3503,"reason":"force disconnect"}}\n');
  });

  it('refuses bad requests by status', async () => {
    const { url } = await start(BYE);
    expect((await fetch(url + path, post(''))).status).toBe(400);
    expect((await fetch(url + path, post('{'))).status).toBe(400);
    expect((await fetch(url + path)).status).toBe(405);
    expect((await fetch(url + path, { method: 'OPTIONS' })).status).toBe(204);
    expect((await fetch(url + path, post('x'.repeat(65_537)))).status).toBe(413);
  });

  const refusing = (code: number): TestEdgeOptions => ({
    settings: {
      uniHttpStream: {
        ...DEFAULT_SETTINGS.uniHttpStream,
        connectCodeToHttpResponse: new Map([
          [109, { statusCode: 401, body: 'come again' }],
          [3507, { statusCode: 403, body: '' }],
        ]),
      },
    },
    onFrame: ({ socket }) => expect(socket.rejectWith?.(code, 'the reason')).toBe(true),
  });

  it.each([
    [109, 401, 'come again'],
    [3507, 403, 'the reason'],
    [103, 500, 'Internal Server Error'],
  ])('answers a connect that failed with %i by %i', async (code, status, body) => {
    const { url, sessions, server } = await start(refusing(code));
    const response = await fetch(url + path, post('{}'));
    expect([response.status, await response.text()]).toEqual([status, body]);
    expect(sessions[0]?.closeCount).toBe(1);
    expect(server.connections).toBe(0);
  });

  it('does not reject once something was sent, or when it is not configured', async () => {
    const { url } = await start({
      settings: refusing(0).settings,
      onFrame: ({ socket }) => {
        socket.send(bytes('a'));
        expect(socket.rejectWith?.(109, '')).toBe(false);
        socket.close(3005, 'connection expired');
      },
    });
    const response = await fetch(url + path, post('{}'));
    expect(await all(response)).toBe('a\n{"disconnect":{"code":3005,"reason":"connection expired"}}\n');
    edge?.close();
    const plain = await start({
      onFrame: ({ socket }) => {
        expect(socket.rejectWith?.(109, '')).toBe(false);
        socket.close(3005, 'connection expired');
      },
    });
    expect((await fetch(plain.url + path, post('{}'))).status).toBe(200);
  });
});
