import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, post } from '../fixture/http-call.ts';
import { startApi, type RunningApi } from '../fixture/start-api.ts';

const MESSAGE = { channel: 'news', data: { text: 'hi' } };

describe('the HTTP API', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  it('refuses other HTTP methods before it looks at the key (1)', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const response = await fetch(`${api.url}/api/publish`, { method });
      expect([response.status, await response.text()]).toEqual([405, '']);
    }
    expect((await fetch(`${api.url}/api`)).status).toBe(405);
  });

  it('answers 401 without a key and with nothing in the body (2)', async () => {
    expect(await post(api, '/api/publish', MESSAGE, {})).toEqual({ status: 401, text: '', contentType: null });
    expect(await post(api, '/api', '', {})).toMatchObject({ status: 401, text: '' });
  });

  it('takes the key from the X-API-Key header in any case (3, 17)', async () => {
    for (const name of ['X-API-Key', 'x-api-key', 'X-Api-KEY']) {
      expect(await post(api, '/api/publish', MESSAGE, { [name]: 'k' })).toEqual({
        status: 200,
        text: '{"result":{}}',
        contentType: 'application/json',
      });
    }
  });

  it('takes it from the Authorization header, the scheme in any case (4)', async () => {
    for (const value of ['apikey k', 'ApiKey k', 'APIKEY   k', ' apikey\tk ']) {
      expect((await post(api, '/api/info', {}, { authorization: value })).status).toBe(200);
    }
  });

  it.each(['Bearer k', 'apikey k extra', 'apikey', 'apikey K', 'k', 'apikeyk'])(
    'refuses the Authorization header %j (5)',
    async (value) => {
      expect((await post(api, '/api/info', {}, { authorization: value })).status).toBe(401);
    },
  );

  it('takes it from the query, also after a wrong header (6, 8)', async () => {
    expect((await post(api, '/api/info?api_key=k', {}, {})).status).toBe(200);
    expect((await post(api, '/api/info?api_key=k', {}, { 'x-api-key': 'wrong' })).status).toBe(200);
    expect((await post(api, '/api/info?api_key=%6B&x=1', {}, {})).status).toBe(200);
    expect((await post(api, '/api/info?api_key=x', {}, {})).status).toBe(401);
    expect((await post(api, '/api/info?api_key', {}, {})).status).toBe(401);
  });

  it('looks at X-API-Key alone when it is there (7)', async () => {
    const headers = { 'x-api-key': 'wrong', authorization: 'apikey k' };
    expect((await post(api, '/api/info', {}, headers)).status).toBe(401);
    expect((await post(api, '/api/info', {}, { ...headers, 'x-api-key': '' })).status).toBe(200);
  });

  it('sends no body to HEAD, which would be taken for the next answer', async () => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(api.url).port) });
    socket.write('HEAD /nope HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const head = await new Promise<string>((resolve) =>
      socket.once('data', (data: Buffer) => resolve(data.toString())),
    );
    socket.destroy();
    expect(head).toMatch(/^HTTP\/1\.1 404 [^]*\r\n\r\n$/);
  });

  it('knows no other routes, and says so without asking for a key (11)', async () => {
    for (const path of ['/api/device_list', '/api/', '/api/publish/', '/api/nope', '/nope', '/', '/API/publish']) {
      expect(await post(api, path, {}, {})).toEqual({
        status: 404,
        text: '404 page not found\n',
        contentType: 'text/plain; charset=utf-8',
      });
    }
  });

  it('needs a body, an empty object at least (12)', async () => {
    expect((await post(api, '/api/info', '')).status).toBe(400);
    expect((await post(api, '/api/channels', '')).status).toBe(400);
    expect((await post(api, '/api/info', '{}')).status).toBe(200);
  });

  it.each(['{"channel":1,"data":{}}', '{"channel":"a"', 'nope', '[]', '"a"', '{"channel":"a"} x', '{}{}', '\u0000'])(
    'answers 400 to %j (13, 14)',
    async (body) => {
      expect(await post(api, '/api/publish', body)).toEqual({
        status: 400,
        text: 'Bad Request\n',
        contentType: 'text/plain; charset=utf-8',
      });
    },
  );

  it('says of errors in words that they are text, and of nothing else', async () => {
    const nosniff = async (path: string, init: RequestInit): Promise<string | null> =>
      (await fetch(api.url + path, init)).headers.get('x-content-type-options');
    const headers = { 'x-api-key': 'k' };
    expect(await nosniff('/nope', {})).toBe('nosniff');
    expect(await nosniff('/api/publish', { method: 'POST', headers, body: 'x' })).toBe('nosniff');
    expect(await nosniff('/api/info', { method: 'POST', headers, body: '{}' })).toBeNull();
    expect(await nosniff('/api/info', { method: 'POST' })).toBeNull();
  });

  it('ignores keys it does not know (15)', async () => {
    expect(await call(api, 'publish', { ...MESSAGE, nope: [{}] })).toEqual({ result: {} });
  });

  it('never looks at the content type of a request', async () => {
    expect((await post(api, '/api/info', {}, { 'x-api-key': 'k', 'content-type': 'image/png' })).status).toBe(200);
  });
});

describe('options of the HTTP API', () => {
  const withApi = async (file: object, use: (api: RunningApi) => Promise<void>): Promise<void> => {
    const api = await startApi(file);
    try {
      await use(api);
    } finally {
      await api.close();
    }
  };

  it('let nobody in without a configured key (9)', () =>
    withApi({ http_api: { key: '' } }, async (api) => {
      expect((await post(api, '/api/info', {}, {})).status).toBe(401);
      expect((await post(api, '/api/info', {}, { 'x-api-key': 'k' })).status).toBe(401);
      expect((await post(api, '/api/info?api_key=', {}, { authorization: 'apikey ' })).status).toBe(401);
    }));

  it('let everybody in when insecure (10)', () =>
    withApi({ http_api: { insecure: true } }, async (api) => {
      expect((await post(api, '/api/info', {}, {})).status).toBe(200);
    }));

  it('move the API under another prefix (16)', () =>
    withApi({ http_api: { key: 'k', handler_prefix: '/x/' } }, async (api) => {
      expect((await post(api, '/x/publish', MESSAGE)).status).toBe(200);
      expect((await post(api, '/x', { params: MESSAGE })).text).toBe('{"result":{}}');
      expect((await post(api, '/x/', { params: MESSAGE })).status).toBe(404);
      expect((await post(api, '/api/publish', MESSAGE)).status).toBe(404);
    }));

  it('move it to the root', () =>
    withApi({ http_api: { key: 'k', handler_prefix: '/' } }, async (api) => {
      expect((await post(api, '/publish', MESSAGE)).status).toBe(200);
      expect((await post(api, '/', { params: MESSAGE })).text).toBe('{"result":{}}');
      expect((await post(api, '/nope', {})).text).toBe('404 page not found\n');
      expect((await fetch(`${api.url}/health`)).status).toBe(200);
    }));

  it('turn it off', () =>
    withApi({ http_api: { key: 'k', disabled: true } }, async (api) => {
      expect((await post(api, '/api/publish', MESSAGE)).status).toBe(404);
    }));
});
