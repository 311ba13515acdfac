import { afterEach, describe, expect, it } from 'vitest';
import { eventually, upgradeStatus } from './fixture/raw-client.ts';
import { bytes, DEFAULT_SETTINGS, startEdge, type TestEdge, type TestEdgeOptions } from './fixture/start-edge.ts';
import { connectWs } from './fixture/ws-client.ts';

let edge: TestEdge | undefined;
afterEach(() => edge?.close());

const PATH = '/connection/uni_websocket';
const withQuery = (request: string): string => `${PATH}?cf_connect=${encodeURIComponent(request)}`;

async function start(options?: TestEdgeOptions): Promise<TestEdge> {
  edge = await startEdge(options);
  return edge;
}

const configured = (change: Partial<typeof DEFAULT_SETTINGS.uniWebsocket>): TestEdgeOptions['settings'] => ({
  uniWebsocket: { ...DEFAULT_SETTINGS.uniWebsocket, ...change },
});

describe('unidirectional WebSocket', () => {
  it('takes the connect request from the query, and discards messages', async () => {
    const { wsUrl, sessions } = await start({ onFrame: ({ socket }) => socket.send(bytes('{"connect":{}}')) });
    const client = connectWs(wsUrl + withQuery('{"token":"é"}'));
    expect(await client.received(1)).toEqual(['{"connect":{}}']);
    client.socket.send('ignored');
    client.socket.close();
    await client.closed;
    await eventually(() => expect(sessions[0]?.closeCount).toBe(1));
    expect(sessions[0]?.frames).toEqual(['{"token":"é"}']);
    expect(sessions[0]?.socket.traits).toMatchObject({ form: 'uni_json', unidirectional: true, topics: true });
  });

  it.each([PATH, `${PATH}?cf_connect=`, withQuery('null')])('takes it from the first message at %s', async (path) => {
    const { wsUrl, sessions } = await start({ onFrame: ({ socket }, frame) => socket.send(bytes(frame)) });
    const client = connectWs(wsUrl + path);
    await client.opened;
    expect(sessions[0]?.frames).toEqual([]);
    client.socket.send('null');
    client.socket.send('discarded');
    await client.received(1);
    expect(sessions[0]?.frames).toEqual(['null']);
  });

  it('answers a bad connect request in the query with 400, whatever else is wrong', async () => {
    const { url, sessions } = await start();
    expect(await upgradeStatus(url, withQuery('{"token":'), {})).toBe(400);
    expect(await upgradeStatus(url, withQuery('[]'), { origin: 'https://evil.com' })).toBe(400);
    const response = await fetch(url + withQuery('[]'));
    expect([response.status, await response.text()]).toEqual([400, 'invalid connect request\n']);
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      'access-control-allow-origin': '',
      'access-control-allow-credentials': 'true',
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['sec-websocket-version']).toBeUndefined();
    expect(sessions).toEqual([]);
  });

  it.each(['{"token":', '[]', ''])('closes with 3501, and no push, on the first message %j', async (message) => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    client.socket.send(message);
    expect(await client.closed).toEqual({ code: 3501, reason: 'bad request' });
    expect(client.messages).toEqual([]);
    await eventually(() => expect(sessions[0]).toMatchObject({ frames: [], closeCount: 1 }));
  });

  it('closes with 1009, and no push, on a message over the limit', async () => {
    const { wsUrl } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    client.socket.send('x'.repeat(65_537));
    expect((await client.closed).code).toBe(1009);
    expect(client.messages).toEqual([]);
  });

  it('refuses origins and full nodes as the bidirectional one does', async () => {
    const { url } = await start({ settings: { connectionRateLimit: 2 } });
    // An attempt counts, whatever comes of it.
    expect(await upgradeStatus(url, PATH, { origin: 'https://evil.com' })).toBe(403);
    expect(await upgradeStatus(url, PATH, {})).toBe(101);
    expect(await upgradeStatus(url, PATH, {})).toBe(503);
  });

  it('sends a disconnect push before the close frame', async () => {
    const { wsUrl } = await start({ onFrame: ({ socket }) => socket.close(3005, 'connection expired') });
    const client = connectWs(wsUrl + withQuery('{}'));
    expect(await client.closed).toEqual({ code: 3005, reason: 'connection expired' });
    expect(client.messages).toEqual(['{"disconnect":{"code":3005,"reason":"connection expired"}}']);
  });

  it('leaves the disconnect push out when it is configured', async () => {
    const { wsUrl } = await start({
      settings: configured({ disableDisconnectPush: true }),
      onFrame: ({ socket }) => socket.close(3005, 'connection expired'),
    });
    const client = connectWs(wsUrl + withQuery('{}'));
    expect((await client.closed).code).toBe(3005);
    expect(client.messages).toEqual([]);
  });

  it('leaves the close frame out when it is configured', async () => {
    const { wsUrl, sessions } = await start({
      settings: configured({ disableClosingHandshake: true }),
      onFrame: ({ socket }) => socket.close(3005, 'connection expired'),
    });
    const client = connectWs(wsUrl + withQuery('{}'));
    expect((await client.closed).code).toBe(1006);
    expect(client.messages).toHaveLength(1);
    expect(sessions[0]?.closeCount).toBe(1);
  });

  it.each([
    [false, ['a', 'b']],
    [true, ['a\nb']],
  ])('joins pushes: %s', async (joinPushMessages, frames) => {
    const { wsUrl } = await start({
      settings: configured({ joinPushMessages }),
      onFrame: ({ socket }) =>
        socket.batch(() => {
          socket.send(bytes('a'));
          socket.send(bytes('b'));
        }),
    });
    const client = connectWs(wsUrl + withQuery('{}'));
    expect(await client.received(frames.length)).toEqual(frames);
  });

  it('drops a client that does not answer control pings', async () => {
    const { wsUrl, clock, sessions } = await start({ fakeClock: true });
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    clock.advanceSync(25_050 + 8050);
    expect((await client.closed).code).toBe(1006);
    expect(sessions[0]?.closeCount).toBe(1);
  });
});
