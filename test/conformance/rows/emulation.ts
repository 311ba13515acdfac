import { expect } from 'vitest';

import { eventually } from '../../harness/eventually.ts';
import type { Json } from '../../harness/raw-client.ts';
import { Fields, field, frame, message, splitFrame } from '../../harness/protobuf-fields.ts';
import type { StreamingResponse } from '../../harness/streaming-response.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { ConnectOptions, Trial } from '../trial.ts';

const STREAM = '/connection/http_stream';
const SSE = '/connection/sse';
const UNI_SSE = '/connection/uni_sse';
const UNI_STREAM = '/connection/uni_http_stream';
const TOO_LARGE = JSON.stringify({ id: 1, connect: { token: 'x'.repeat(70_000) } });
const PROTOBUF = { 'Content-Type': 'application/octet-stream' };

const connectText = (t: Trial, options?: ConnectOptions): string =>
  JSON.stringify({ id: 1, connect: t.connectRequest(options) });

interface Emulated {
  readonly stream: StreamingResponse;
  readonly connected: Json;
  /** Sends commands by the emulation endpoint. */
  readonly send: (data: unknown, gateway?: number) => Promise<number>;
}

async function emulated(t: Trial, path = STREAM): Promise<Emulated> {
  const stream = await t.stream(path, { method: 'POST', body: connectText(t) });
  await stream.until('"connect"');
  const [reply] = stream.messages() as Json[];
  const { session, node } = reply.connect;
  return {
    stream,
    connected: reply.connect,
    send: async (data, gateway = 0) => {
      const body = JSON.stringify({ session, node, data });
      return (await t.http('/emulation', { method: 'POST', body }, gateway)).status;
    },
  };
}

const query = (value: unknown): string => `?cf_connect=${encodeURIComponent(JSON.stringify(value))}`;

function expectStreamingHeaders({ headers }: StreamingResponse): void {
  expect(headers.get('X-Accel-Buffering')).toBe('no');
  expect(headers.get('Cache-Control')).toBe('private, no-cache, no-store, must-revalidate, max-age=0');
  expect(headers.get('Pragma')).toBe('no-cache');
  expect(headers.get('Expire')).toBe('0');
}

export const emulation: readonly Scenario[] = [
  row('client 20', 'OPTIONS of http_stream answers a pre-flight', async (t) => {
    const { status, headers } = await t.http(STREAM, {
      method: 'OPTIONS',
      headers: { Origin: 'http://good.example', 'Access-Control-Request-Headers': 'content-type' },
    });
    expect(status).toBe(204);
    expect(headers.get('Access-Control-Max-Age')).toBe('300');
    expect(headers.get('Access-Control-Allow-Methods')).toBe('POST, OPTIONS');
    expect(headers.get('Access-Control-Allow-Origin')).toBe('http://good.example');
    expect(headers.get('Access-Control-Allow-Credentials')).toBe('true');
    expect(headers.get('Access-Control-Allow-Headers')).toBe('content-type');
  }),
  row('client 21', 'GET of http_stream is not allowed', async (t) => {
    expect((await t.http(STREAM)).status).toBe(405);
  }),
  row('client 22', 'http_stream answers with the connect reply as a line', async (t) => {
    const { stream, connected } = await emulated(t);
    expect(stream.status).toBe(200);
    expectStreamingHeaders(stream);
    expect(stream.text).toMatch(/^\{"id":1,"connect":.*\}\n$/);
    expect(connected).toMatchObject({ session: expect.any(String), node: expect.any(String), ping: 25, pong: true });
  }),
  row('client 23', 'http_stream speaks Protobuf for octet streams', async (t) => {
    const body = frame(message(field(1, 1), field(4, message(field(1, t.token())))));
    const stream = await t.stream(STREAM, { method: 'POST', headers: PROTOBUF, body });
    await eventually(() => expect(stream.bytes.length).toBeGreaterThan(10), 5_000);
    const [reply] = splitFrame(stream.bytes).map((bytes) => new Fields(bytes));
    expect(reply?.message(5).text(9)).not.toBe('');
    expect(reply?.message(5).text(10)).not.toBe('');
  }),
  row('client 24', 'an http_stream body over the limit gets 413', async (t) => {
    expect((await t.http(STREAM, { method: 'POST', body: TOO_LARGE })).status).toBe(413);
  }),
  row('client 25', 'a disconnect ends http_stream after a disconnect push', async (t) => {
    const { stream } = await emulated(t);
    await t.result('disconnect', { user: t.user });
    expect(await stream.ended()).toContain('{"push":{"disconnect":{"code":3503,"reason":"force disconnect"}}}\n');
  }),
  rowFor('timers', 'client 26', 'a ping of http_stream is the line {}', async (t) => {
    const { stream } = await emulated(t);
    await stream.until(/\n\{\}\n/);
  }),
  row('client 27', 'GET of sse without cf_connect gets 400', async (t) => {
    for (const text of ['', '?cf_connect=', '?cf_connect=%zz']) {
      expect((await t.http(SSE + text)).status, text).toBe(400);
    }
  }),
  row('client 28', 'sse answers with events', async (t) => {
    const stream = await t.stream(SSE + query({ id: 1, connect: t.connectRequest() }));
    expect(stream.status).toBe(200);
    expect(stream.headers.get('Content-Type')).toBe('text/event-stream; charset=utf-8');
    expectStreamingHeaders(stream);
    expect(await stream.until(/\n\n$/)).toMatch(/^\r\ndata: \{"id":1,"connect":.*\}\n\n$/);
  }),
  row('client 29', 'sse takes the connect command as the body of a POST', async (t) => {
    const { stream } = await emulated(t, SSE);
    expect(stream.text).toMatch(/^\r\ndata: \{"id":1,"connect":.*\}\n\n$/);
  }),
  row('client 30', 'PUT of sse is not allowed', async (t) => {
    expect((await t.http(SSE, { method: 'PUT', body: '{}' })).status).toBe(405);
  }),
  row('client 31', 'an sse body over the limit gets 413', async (t) => {
    expect((await t.http(SSE, { method: 'POST', body: TOO_LARGE })).status).toBe(413);
  }),
  row('client 31b', 'a broken connect frame of sse ends with a disconnect push', async (t) => {
    const stream = await t.stream(`${SSE}?cf_connect=%7B`);
    expect(await stream.ended()).toContain('data: {"push":{"disconnect":{"code":3501,"reason":"bad request"}}}\n\n');
  }),
  row('client 32', 'a command by emulation is answered on the stream', async (t) => {
    const { stream, send } = await emulated(t);
    expect(await send(`{"id":2,"subscribe":{"channel":"${t.channel()}"}}`)).toBe(204);
    await stream.until('{"id":2,"subscribe":{}}\n');
    await t.publish(t.channel(), { a: 1 });
    await stream.until(`{"push":{"channel":"${t.channel()}","pub":{"data":{"a":1}}}}\n`);
  }),
  row('client 32b', 'the same over sse', async (t) => {
    const { stream, send } = await emulated(t, SSE);
    expect(await send(`{"id":2,"subscribe":{"channel":"${t.channel()}"}}`)).toBe(204);
    await stream.until('data: {"id":2,"subscribe":{}}\n\n');
  }),
  row('client 33', 'emulation for an unknown node gets 404', async (t) => {
    for (const data of ['{}', null, { id: 1 }, undefined]) {
      const body = JSON.stringify({ session: 's', node: 'nobody', data });
      expect((await t.http('/emulation', { method: 'POST', body })).status, `data ${body}`).toBe(404);
    }
  }),
  row('client 34', 'emulation for an unknown session of a known node gets 204', async (t) => {
    const { connected } = await emulated(t);
    const body = JSON.stringify({ session: 'nobody', node: connected.node, data: '{"id":1,"connect":{}}' });
    expect((await t.http('/emulation', { method: 'POST', body })).status).toBe(204);
  }),
  row('client 35', 'emulation with broken JSON gets 400', async (t) => {
    expect((await t.http('/emulation', { method: 'POST', body: '{"node":' })).status).toBe(400);
  }),
  row('client 36', 'emulation with broken Protobuf gets 400', async (t) => {
    const init = { method: 'POST', headers: PROTOBUF, body: Buffer.from([0xff, 0xff, 0xff]) };
    expect((await t.http('/emulation', init)).status).toBe(400);
  }),
  row('client 37', 'emulation over the limit gets 413', async (t) => {
    const body = JSON.stringify({ session: 's', node: 'n', data: 'x'.repeat(70_000) });
    expect((await t.http('/emulation', { method: 'POST', body })).status).toBe(413);
  }),
  row('client 38', 'emulation takes POST and OPTIONS only', async (t) => {
    expect((await t.http('/emulation')).status).toBe(405);
    expect((await t.http('/emulation', { method: 'OPTIONS' })).status).toBe(204);
  }),
  row('client 39', 'commands of one emulation request are processed in order', async (t) => {
    const { stream, send } = await emulated(t);
    const commands = [
      { id: 2, subscribe: { channel: t.channel() } },
      { id: 3, unsubscribe: { channel: t.channel() } },
    ];
    await send(commands.map((command) => JSON.stringify(command)).join('\n'));
    await stream.until('{"id":2,"subscribe":{}}\n{"id":3,"unsubscribe":{}}\n');
  }),
  rowFor('timers', 'client 40', 'a pong by emulation keeps the connection', async (t) => {
    const { stream, send } = await emulated(t);
    await stream.until(/\n\{\}\n/);
    expect(await send('{}')).toBe(204);
    await stream.until(/\n\{\}\n\{\}\n/);
  }),
  row('client 41', 'a broken command by emulation ends the stream with 3501', async (t) => {
    const { stream, send } = await emulated(t);
    expect(await send('{"id":')).toBe(204);
    expect(await stream.ended()).toContain('{"push":{"disconnect":{"code":3501,"reason":"bad request"}}}\n');
  }),
  row('client 42', 'emulation by another node reaches the node of the stream', async (t) => {
    const { stream, send } = await emulated(t);
    expect(await send(`{"id":2,"subscribe":{"channel":"${t.channel()}"}}`, 1)).toBe(204);
    await stream.until('{"id":2,"subscribe":{}}\n');
  }),
  row('client 42b', 'emulation data that is no JSON string is dropped', async (t) => {
    const { send, stream } = await emulated(t);
    expect(await send({ id: 2 })).toBe(204);
    expect(await send(`{"id":3,"unsubscribe":{"channel":"x"}}`)).toBe(204);
    await stream.until('{"id":3,"unsubscribe":{}}\n');
  }),
  row('client 58b', 'a failed connect leaves http_stream open', async (t) => {
    const stream = await t.stream(STREAM, { method: 'POST', body: connectText(t, { claims: { exp: 1 } }) });
    await stream.until('{"id":1,"error":{"code":109,"message":"token expired"}}\n');
    expect(stream.hasEnded).toBe(false);
  }),
  rowFor('timers', 'client 60', 'nothing after a failed connect ends http_stream with 3502', async (t) => {
    const stream = await t.stream(STREAM, { method: 'POST', body: connectText(t, { claims: { exp: 1 } }) });
    await stream.until('"code":109');
    expect(await stream.ended()).toContain('{"push":{"disconnect":{"code":3502,"reason":"stale"}}}\n');
  }),
];

export const unidirectional: readonly Scenario[] = [
  row('client 43', 'uni_websocket answers cf_connect with a bare connect push', async (t) => {
    const client = await t.socketAt(`/connection/uni_websocket${query(t.connectRequest())}`);
    const first = JSON.parse(String(await client.nextFrame()));
    expect(first).toEqual({
      connect: {
        client: expect.any(String),
        version: '6.9.1 OSS',
        expires: true,
        ttl: expect.any(Number),
        ping: 25,
        session: expect.any(String),
      },
    });
  }),
  row('client 44', 'uni_websocket with a broken cf_connect gets 400', async (t) => {
    await expect(t.socketAt('/connection/uni_websocket?cf_connect=%7B')).rejects.toMatchObject({ status: 400 });
  }),
  row('client 45', 'a broken first message of uni_websocket closes with 3501', async (t) => {
    const socket = await t.socketAt('/connection/uni_websocket');
    socket.send('{"token":');
    expect(await socket.closed()).toEqual({ code: 3501, reason: 'bad request' });
    expect(socket.frames).toEqual([]);
  }),
  row('client 44b', 'and says so in words, also to what asks for no upgrade', async (t) => {
    const { status, text } = await t.http('/connection/uni_websocket?cf_connect=%7B');
    expect([status, text]).toEqual([400, 'invalid connect request\n']);
  }),
  row('client 45c', 'what follows the connect request of a unidirectional client is ignored', async (t) => {
    const stream = await t.stream(UNI_STREAM, { method: 'POST', body: `${JSON.stringify(t.connectRequest())} {` });
    await stream.until('"connect"');
  }),
  row('client 45b', 'uni_websocket takes the connect request as first message', async (t) => {
    const socket = await t.socketAt('/connection/uni_websocket');
    socket.send(JSON.stringify(t.connectRequest()));
    expect(JSON.parse(String(await socket.nextFrame()))).toMatchObject({ connect: { client: expect.any(String) } });
  }),
  rowFor('anonymous', 'client 46', 'uni_sse without cf_connect uses an empty request', async (t) => {
    for (const text of ['', '?cf_connect=', '?cf_connect=%zz']) {
      const stream = await t.stream(UNI_SSE + text);
      expect(await stream.until(/\n\n$/)).toMatch(/^\r\ndata: \{"connect":/);
    }
  }),
  rowFor('timers', 'client 47', 'a ping of uni_sse is an empty event', async (t) => {
    const stream = await t.stream(UNI_SSE + query(t.connectRequest()));
    await stream.until('\n\ndata: {}\n\n');
  }),
  row('client 48', 'uni_http_stream with an empty body gets 400', async (t) => {
    expect((await t.http(UNI_STREAM, { method: 'POST', body: '' })).status).toBe(400);
  }),
  rowFor('anonymous', 'client 49', 'a literal null is an empty connect request', async (t) => {
    const stream = await t.stream(UNI_STREAM, { method: 'POST', body: 'null' });
    await stream.until(/^\{"connect":.*\}\n$/);
    const sse = await t.stream(`${UNI_SSE}?cf_connect=null`);
    await sse.until('"connect"');
  }),
  row('client 50', 'an expired token ends a unidirectional connection with 3005', async (t) => {
    const body = JSON.stringify(t.connectRequest({ claims: { exp: 1 } }));
    const stream = await t.stream(UNI_STREAM, { method: 'POST', body });
    expect(await stream.ended()).toBe('{"disconnect":{"code":3005,"reason":"connection expired"}}\n');
  }),
  row('client 51', 'connect error 102 ends a unidirectional connection with 3004', async (t) => {
    const body = JSON.stringify(t.connectRequest({ claims: { channels: ['nope:x'] } }));
    const stream = await t.stream(UNI_STREAM, { method: 'POST', body });
    expect(await stream.ended()).toBe('{"disconnect":{"code":3004,"reason":"internal server error"}}\n');
  }),
  row('client 53', 'permitted channels of a unidirectional request are subscribed, others skipped', async (t) => {
    const subs = { [t.channel()]: {}, [t.channel('closed')]: {} };
    const stream = await t.stream(UNI_STREAM, {
      method: 'POST',
      body: JSON.stringify(t.connectRequest({ request: { subs } })),
    });
    await stream.until('\n');
    const [push] = stream.messages() as Json[];
    expect(push.connect.subs).toEqual({ [t.channel()]: {} });
    await t.publish(t.channel(), { a: 1 });
    await stream.until(`{"channel":"${t.channel()}","pub":{"data":{"a":1}}}\n`);
  }),
  row('client 160', 'a unidirectional client gets the cached publication in its connect push', async (t) => {
    await t.publishAll(t.channel('auto'), [1, 2]);
    const subs = { [t.channel('auto')]: {} };
    const stream = await t.stream(UNI_STREAM, {
      method: 'POST',
      body: JSON.stringify(t.connectRequest({ request: { subs } })),
    });
    await stream.until('\n');
    const [push] = stream.messages() as Json[];
    expect(push.connect.subs[t.channel('auto')]).toMatchObject({
      recovered: true,
      publications: [{ data: 2, offset: 2 }],
    });
  }),
];
