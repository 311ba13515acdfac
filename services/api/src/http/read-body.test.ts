import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from '../fixture/http-call.ts';
import { startApi, type RunningApi } from '../fixture/start-api.ts';

const BODY = '{"channel":"news","data":{"text":"hi"}}';

function head(length: number | 'chunked'): string {
  const framing = length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
  return `POST /api/publish HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\n${framing}\r\n\r\n`;
}

describe('request bodies', () => {
  let api: RunningApi;
  let sockets: Socket[] = [];
  beforeAll(async () => {
    api = await startApi();
    await api.broker.join('news', {});
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await api.close();
  });

  const open = async (): Promise<Socket> => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    sockets.push(socket);
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return socket;
  };
  const answerOf = async (socket: Socket): Promise<string> => {
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString();
  };
  /** Settles when the server has seen what was sent before: requests of other connections pass the same event loop. */
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await post(api, '/api/info', {});
  };

  it('may come byte by byte', async () => {
    const socket = await open();
    api.received.length = 0;
    const answer = answerOf(socket);
    for (const piece of [head(BODY.length), ...BODY.split('')]) {
      socket.write(piece);
      await new Promise(setImmediate);
    }
    expect(await answer).toContain('{"result":{}}');
    expect(Buffer.from(api.received[0]?.live.publication.data ?? '').toString()).toBe('{"text":"hi"}');
    expect(api.clock.pendingTimers).toBe(0);
  });

  it('may come in chunks', async () => {
    const socket = await open();
    socket.write(`${head('chunked')}5\r\n${BODY.slice(0, 5)}\r\n`);
    await turn();
    const rest = BODY.slice(5);
    socket.write(`${rest.length.toString(16)}\r\n${rest}\r\n0\r\n\r\n`);
    expect(await answerOf(socket)).toContain('{"result":{}}');
  });

  it('may be followed by the next request at once', async () => {
    const socket = await open();
    const request = head(BODY.length) + BODY;
    socket.write(request.repeat(3));
    let text = '';
    while (text.split('{"result":{}}').length < 4) text += await answerOf(socket);
    expect(text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(3);
  });

  it('may be large', async () => {
    api.received.length = 0;
    const data = 'x'.repeat(3_000_000);
    expect((await post(api, '/api/publish', { channel: 'news', data })).status).toBe(200);
    expect(api.received[0]?.live.publication.data?.length).toBe(3_000_002);
  });

  it('are answered with 413 beyond 64 MiB', async () => {
    const socket = await open();
    socket.write(head(65 * 1024 * 1024));
    const piece = Buffer.alloc(1024 * 1024, 0x20);
    const answer = answerOf(socket);
    for (let i = 0; i < 65; i++) {
      if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), answer]);
    }
    expect(await answer).toContain('413 Request Entity Too Large');
  });

  it('that do not end are answered with 500 after 30 seconds', async () => {
    const socket = await open();
    socket.write(head(BODY.length) + BODY.slice(0, 10));
    await turn();
    expect(api.clock.pendingTimers).toBe(1);
    const answer = answerOf(socket);
    api.clock.advanceSync(30_000);
    expect(await answer).toMatch(/^HTTP\/1.1 500 Internal Server Error/);
    await once(socket, 'close');
    expect(api.clock.pendingTimers).toBe(0);
  });

  it('of clients that go away are forgotten', async () => {
    const socket = await open();
    socket.write(head(BODY.length) + BODY.slice(0, 10));
    await turn();
    expect(api.clock.pendingTimers).toBe(1);
    socket.destroy();
    await once(socket, 'close');
    await turn();
    expect(api.clock.pendingTimers).toBe(0);
    expect(await (await fetch(`${api.url}/metrics`)).text()).toContain('carillon_api_requests_in_flight 1');
  });

  it('of clients that go away while they are answered harm nobody', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = await open();
      socket.write(head(BODY.length) + BODY);
      socket.destroy();
    }
    await turn();
    expect((await post(api, '/api/info', {})).status).toBe(200);
  });
});
