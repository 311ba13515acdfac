import { afterEach, describe, expect, test } from 'vitest';

import type { ProxyConfig } from '@carillon/config';
import type { AskOrigin } from '@carillon/policy';
import { DEFAULT_PROXY, decisionsOf, NO_ORIGIN, type DecisionFixture } from '../fixture/decision-fixture.ts';
import { answers, startHttpFixture, type Answer, type HttpFixture } from '../fixture/http-fixture.ts';
import { MAX_REPLY_BYTES } from './backend.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

async function start(
  answer: Answer,
  proxy: Partial<ProxyConfig> = {},
): Promise<{ backend: HttpFixture; decisions: DecisionFixture }> {
  const backend = await startHttpFixture(answer);
  const decisions = decisionsOf({ endpoint: `${backend.url}/hook?a=1`, ...proxy });
  opened.push(decisions, backend);
  return { backend, decisions };
}

const MESSAGE = { client: 'c1', transport: 'websocket', protocol: 'json', user: '42' };

function rpc(decisions: DecisionFixture, message: object = {}, origin: AskOrigin = NO_ORIGIN) {
  return decisions.rpc({ message: { ...MESSAGE, method: 'm', ...message }, proxyName: 'default', origin });
}

describe('a question over HTTP', () => {
  test('is a POST of JSON to the endpoint as configured', async () => {
    const { backend, decisions } = await start(answers({ result: { data: { ok: 1 } } }));
    expect(await rpc(decisions, { data: bytes('{"a": [1]}') })).toEqual({
      kind: 'result',
      result: expect.objectContaining({ data: bytes('{"ok":1}') }),
    });
    expect(backend.requests).toHaveLength(1);
    const [request] = backend.requests;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe('/hook?a=1');
    expect(request?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      ...MESSAGE,
      encoding: 'json',
      method: 'm',
      data: { a: [1] },
    });
  });

  test('names an anonymous user as an empty string', async () => {
    const { backend, decisions } = await start(answers({}));
    await rpc(decisions, { user: undefined });
    expect(JSON.parse(backend.requests[0]?.body ?? '')).toMatchObject({ user: '' });
  });

  test.each(['refresh', 'subscribe', 'publish', 'subRefresh'] as const)('of %s names him too', async (kind) => {
    const { backend, decisions } = await start(answers({}));
    await decisions[kind]({ message: { client: 'c' }, proxyName: 'default', origin: NO_ORIGIN });
    expect(JSON.parse(backend.requests[0]?.body ?? '')).toEqual({ client: 'c', encoding: 'json', user: '' });
  });

  test.each(['connect', 'mapPublish', 'mapRemove'] as const)('of %s does not', async (kind) => {
    const { backend, decisions } = await start(answers({}));
    await decisions[kind]({ message: { client: 'c' }, proxyName: 'default', origin: NO_ORIGIN });
    expect(JSON.parse(backend.requests[0]?.body ?? '')).toEqual({ client: 'c', encoding: 'json' });
  });

  test('carries the payload as base64 and no data with binary encoding', async () => {
    const { backend, decisions } = await start(answers({}), { binaryEncoding: true });
    await rpc(decisions, { data: new Uint8Array([0, 255, 1]) });
    const body: unknown = JSON.parse(backend.requests[0]?.body ?? '');
    expect(body).toMatchObject({ encoding: 'binary', b64data: 'AP8B' });
    expect(body).not.toHaveProperty('data');
  });

  test('is never sent when the payload is not JSON', async () => {
    const { backend, decisions } = await start(answers({}));
    expect(await rpc(decisions, { data: bytes('not json') })).toMatchObject({ kind: 'failed' });
    expect(backend.requests).toHaveLength(0);
  });

  test.each([
    [true, { a: 1 }],
    [false, undefined],
  ])('carries meta only as the proxy says: %s', async (includeConnectionMeta, meta) => {
    const { backend, decisions } = await start(answers({}), { includeConnectionMeta });
    const message = { ...MESSAGE, meta: bytes('{"a":1}') };
    await decisions.refresh({ message, proxyName: 'default', origin: NO_ORIGIN });
    expect(JSON.parse(backend.requests[0]?.body ?? '')).toEqual(
      expect.objectContaining(meta === undefined ? { user: '42' } : { meta }),
    );
    expect(backend.requests[0]?.body.includes('meta')).toBe(includeConnectionMeta);
  });

  test('uses its connections again and again', async () => {
    const ports = new Set<number | undefined>();
    const { decisions } = await start((response) => {
      ports.add(response.socket?.remotePort);
      answers({})(response, { method: '', url: '', headers: {}, rawHeaders: [], body: '' });
    });
    for (let index = 0; index < 20; index++) await rpc(decisions);
    // A call that follows at once may find the first connection not yet quite free.
    expect(ports.size).toBeLessThanOrEqual(2);
  });
});

describe('headers', () => {
  test('are sent as UTF-8, whoever gave them', async () => {
    const { backend, decisions } = await start(answers({}), {
      httpHeaders: ['Cookie'],
      emulatedHeaders: ['X-Name'],
      http: { ...DEFAULT_PROXY.http, staticHeaders: { 'X-Static': 'é' } },
    });
    const given = { headers: new Map([['cookie', ['name=日本é; b=1']]]), emulatedHeaders: { 'x-name': 'Ωmega' } };
    expect(await rpc(decisions, {}, given)).toMatchObject({ kind: 'result' });
    const { cookie, ...headers } = backend.requests[0]?.headers ?? {};
    const received = [cookie, headers['x-name'], headers['x-static']];
    expect(received.map((value) => Buffer.from(String(value), 'latin1').toString('utf8'))).toEqual([
      'name=日本é; b=1',
      'Ωmega',
      'é',
    ]);
  });

  test('name us as the agent, or whom client or configuration name', async () => {
    const { backend, decisions } = await start(answers({}), { httpHeaders: ['User-Agent'] });
    await rpc(decisions);
    await rpc(decisions, {}, { headers: new Map([['user-agent', ['browser']]]), emulatedHeaders: {} });
    expect(backend.requests.map(({ headers }) => headers['user-agent'])).toEqual(['carillon', 'browser']);
  });

  const origin: AskOrigin = {
    headers: new Map([
      ['cookie', ['a=1']],
      ['x-many', ['1', '2']],
      ['content-type', ['text/plain']],
      ['x-secret', ['no']],
      ['host', ['evil']],
    ]),
    emulatedHeaders: { 'X-Emulated': 'yes', Authorization: 'Bearer e', Cookie: 'emulated' },
  };

  test('are those that the lists name, in the order that the sources override each other', async () => {
    const { backend, decisions } = await start(answers({}), {
      httpHeaders: ['COOKIE', 'X-Many', 'Content-Type', 'Host', 'X-Emulated'],
      emulatedHeaders: ['authorization', 'cookie'],
      http: {
        ...DEFAULT_PROXY.http,
        staticHeaders: { cookie: 'static', 'x-STATIC': 's', 'Content-Type': 'text/html' },
      },
    });
    await rpc(decisions, {}, origin);
    const headers = backend.requests[0]?.headers;
    expect(headers).toMatchObject({
      cookie: 'a=1',
      'x-many': '1, 2',
      authorization: 'Bearer e',
      'x-static': 's',
      'content-type': 'application/json',
    });
    // As Go's client writes them.
    const { rawHeaders = [] } = backend.requests[0] ?? {};
    expect(rawHeaders).toEqual(expect.arrayContaining(['X-Static', 'Cookie', 'X-Many', 'Authorization']));
    expect(headers).not.toHaveProperty('x-secret');
    expect(headers).not.toHaveProperty('x-emulated');
    expect(headers?.host).not.toBe('evil');
  });

  test('come from the metadata of a connection that has none, in canonical case', async () => {
    const { backend, decisions } = await start(answers({}), {
      grpcMetadata: ['x-user-id'],
      httpHeaders: ['x-user-id'],
    });
    const metadata = new Map([['x-user-id', ['7']]]);
    await rpc(decisions, {}, { headers: new Map(), emulatedHeaders: {}, metadata });
    await rpc(decisions, {}, { headers: new Map([['a', ['b']]]), emulatedHeaders: {}, metadata });
    expect(backend.requests[0]?.rawHeaders).toContain('X-User-Id');
    expect(backend.requests[1]?.headers).not.toHaveProperty('x-user-id');
  });

  test('that HTTP forbids fail the question, not the process', async () => {
    const { decisions } = await start(answers({}), { emulatedHeaders: ['x-a'] });
    const bad = { headers: new Map(), emulatedHeaders: { 'x-a': 'a\r\nb: c' } };
    expect(await rpc(decisions, {}, bad)).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching('unencodable'),
    });
    expect(await rpc(decisions)).toMatchObject({ kind: 'result' });
  });
});

describe('a reply', () => {
  test('may hold unknown keys and names in any case', async () => {
    const { decisions } = await start(answers({ RESULT: { B64Data: 'AQ==', unheardOf: [1] }, more: 1 }));
    expect(await rpc(decisions)).toMatchObject({ kind: 'result', result: { b64data: 'AQ==' } });
  });

  test.each([['{}'], ['{"result":null}'], ['null'], ['{"error":null,"disconnect":null}']])(
    '%s is no result',
    async (body) => {
      const { decisions } = await start(answers(body));
      expect(await rpc(decisions)).toEqual({ kind: 'result', result: undefined });
    },
  );

  test('of an empty object is a result', async () => {
    const { decisions } = await start(answers({ result: {} }));
    const decision = await rpc(decisions);
    expect(decision.kind === 'result' && decision.result).toBeTruthy();
  });

  test('keeps a null payload apart from none', async () => {
    const { decisions } = await start(answers('{"result":{"data":null}}'));
    expect(await rpc(decisions)).toMatchObject({ kind: 'result', result: { data: bytes('null') } });
  });

  const disconnect = { code: 4500, reason: 'banned' };
  const error = { code: 1000, message: 'custom', temporary: true };
  test.each([
    [
      { disconnect, error, result: {} },
      { kind: 'disconnect', ...disconnect },
    ],
    [
      { error, result: {} },
      { kind: 'error', ...error },
    ],
    [{ error: { code: 1000 } }, { kind: 'error', code: 1000, message: '', temporary: false }],
  ])('%j means %j', async (body, decision) => {
    const { decisions } = await start(answers(body));
    expect(await rpc(decisions)).toEqual(decision);
  });

  test.each(['refresh', 'subRefresh'] as const)('to %s counts by its result alone', async (kind) => {
    const { decisions } = await start(answers({ error, disconnect, result: { expired: true } }));
    expect(await decisions[kind]({ message: MESSAGE, proxyName: 'default', origin: NO_ORIGIN })).toMatchObject({
      kind: 'result',
      result: { expired: true },
    });
  });
});

describe('a failure', () => {
  const status =
    (code: number, headers: Record<string, string> = {}): Answer =>
    (response) => {
      response.writeHead(code, headers);
      response.end(code === 204 || code === 304 ? undefined : '{"result":{}}');
    };
  test.each([201, 204, 304, 400, 404, 500, 503])('is status %d, whatever the body', async (code) => {
    const { decisions } = await start(status(code));
    expect(await rpc(decisions)).toMatchObject({ kind: 'failed', reason: expect.stringContaining(String(code)) });
  });

  test.each<[string, Answer]>([
    ['garbage', answers('not json')],
    ['nothing', answers('')],
    ['JSON of another shape', answers('{"result":[1]}')],
    ['text after the value', answers('{} {}')],
    ['an array', answers('[]')],
    ['a huge body', answers(`{"result":{"data":"${'x'.repeat(MAX_REPLY_BYTES)}"}}`)],
    ['a closed connection', (response) => void response.destroy()],
    [
      'a connection closed within the body',
      (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{');
        setImmediate(() => response.destroy());
      },
    ],
  ])('is %s', async (_title, answer) => {
    const { decisions } = await start(answer);
    expect(await rpc(decisions)).toMatchObject({ kind: 'failed' });
    expect(await rpc(decisions)).toMatchObject({ kind: 'failed' });
  });

  test.each<[string, Answer]>([
    ['no answer at all', () => undefined],
    [
      'a body that never ends',
      (response) => {
        response.writeHead(200);
        response.write('{"result":');
      },
    ],
    ['an error status whose body never ends', (response) => void response.writeHead(500).write('x')],
  ])('is %s, in time', async (_title, answer) => {
    const { decisions } = await start(answer, { timeoutMs: 60 });
    const startedAt = performance.now();
    expect(await rpc(decisions)).toMatchObject({ kind: 'failed', reason: expect.stringMatching('timeout') });
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });

  test('is a refused connection', async () => {
    const backend = await startHttpFixture(answers({}));
    await backend.close();
    const decisions = decisionsOf({ endpoint: backend.url });
    opened.push(decisions);
    expect(await rpc(decisions)).toMatchObject({ kind: 'failed', reason: expect.stringMatching('unreachable') });
  });

  test('is an unknown proxy name', async () => {
    const { decisions } = await start(answers({}));
    expect(await decisions.rpc({ message: MESSAGE, proxyName: 'other', origin: NO_ORIGIN })).toMatchObject({
      kind: 'failed',
    });
  });
});

describe('a redirect', () => {
  const redirecting =
    (code: number, location: string | undefined): Answer =>
    (response, request) => {
      if (request.url === '/there') answers({ result: {} })(response, request);
      else response.writeHead(code, location === undefined ? {} : { location }).end();
    };

  test.each([
    [301, 'GET'],
    [302, 'GET'],
    [303, 'GET'],
    [307, 'POST'],
    [308, 'POST'],
  ])('with status %d is followed by %s', async (code, method) => {
    const { backend, decisions } = await start(redirecting(code, '/there'));
    expect(await rpc(decisions)).toMatchObject({ kind: 'result' });
    const followed = backend.requests[1];
    expect(followed?.method).toBe(method);
    expect(followed?.body).toBe(method === 'GET' ? '' : backend.requests[0]?.body);
    expect(followed?.headers['content-type']).toBe(method === 'GET' ? undefined : 'application/json');
  });

  test.each([
    ['without a target', undefined],
    ['to another scheme', 'ftp://127.0.0.1/'],
    ['in a circle', '/again'],
  ])('%s is a failure', async (_title, location) => {
    const { backend, decisions } = await start(redirecting(302, location));
    expect(await rpc(decisions)).toMatchObject({ kind: 'failed' });
    expect(backend.requests.length).toBeLessThanOrEqual(11);
  });

  test('to another host does not take credentials along', async () => {
    const other = await startHttpFixture(answers({}));
    opened.push(other);
    const target = other.url.replace('127.0.0.1', 'localhost');
    const backend = await startHttpFixture((response) => {
      response.writeHead(307, { location: target });
      response.end();
    });
    const staticHeaders = { Authorization: 'Bearer x', 'X-Other': 'y' };
    const decisions = decisionsOf({ endpoint: backend.url, http: { ...DEFAULT_PROXY.http, staticHeaders } });
    opened.push(backend, decisions);
    // The name may resolve to another address family than the server listens on; then nothing leaks either.
    await rpc(decisions);
    for (const request of other.requests) {
      expect(request.headers).not.toHaveProperty('authorization');
      expect(request.headers['x-other']).toBe('y');
    }
    expect(backend.requests[0]?.headers.authorization).toBe('Bearer x');
  });
});

describe('status transforms', () => {
  const none = { code: 0, message: '', temporary: false };
  const statusToCodeTransforms = [
    {
      statusCode: 404,
      toError: { code: 404, message: 'not found', temporary: false },
      toDisconnect: { code: 0, reason: '' },
    },
    {
      statusCode: 404,
      toError: { code: 405, message: 'second', temporary: false },
      toDisconnect: { code: 0, reason: '' },
    },
    { statusCode: 403, toError: none, toDisconnect: { code: 4500, reason: 'gone' } },
  ];
  const http = { ...DEFAULT_PROXY.http, statusToCodeTransforms };
  const status =
    (code: number): Answer =>
    (response) =>
      void response.writeHead(code).end('x');

  test('make a status the reply that the first match says', async () => {
    const notFound = await start(status(404), { http });
    expect(await rpc(notFound.decisions)).toEqual({ kind: 'error', code: 404, message: 'not found', temporary: false });
    const forbidden = await start(status(403), { http });
    expect(await rpc(forbidden.decisions)).toEqual({ kind: 'disconnect', code: 4500, reason: 'gone' });
  });

  test('do not touch other statuses or network errors', async () => {
    const { decisions } = await start(status(500), { http });
    expect(await rpc(decisions)).toMatchObject({ kind: 'failed' });
    const closed = await start((response) => void response.destroy(), { http });
    expect(await rpc(closed.decisions)).toMatchObject({ kind: 'failed' });
  });

  test('of a refresh have no result: the connection has expired', async () => {
    const { decisions } = await start(status(404), { http });
    const decision = await decisions.refresh({ message: MESSAGE, proxyName: 'default', origin: NO_ORIGIN });
    expect(decision).toEqual({ kind: 'result', result: undefined });
  });
});

test('metrics tell apart protocol, event and proxy', async () => {
  const { decisions } = await start((response) => void response.writeHead(500).end());
  await rpc(decisions);
  const text = await decisions.renderMetrics();
  const labels = '{protocol="http",type="rpc",name="default"}';
  expect(text).toContain(`carillon_proxy_errors${labels} 1`);
  expect(text).toContain(`carillon_proxy_inflight_requests${labels} 0`);
  expect(text).toContain(`carillon_proxy_duration_seconds_count${labels} 1`);
  expect(text).toContain(`carillon_proxy_duration_seconds_histogram_count${labels} 1`);
  expect(text).toContain('carillon_auth_policy_backend_failures_total{endpoint="default rpc",reason="proxy_status"} 1');
});
