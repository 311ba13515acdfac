import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from '../fixture/http-call.ts';
import { startApi, type RunningApi } from '../fixture/start-api.ts';

const inTransport = { 'x-api-key': 'k', 'X-Centrifugo-Error-Mode': 'transport' };

describe('transport error mode', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
    await post(api, '/api/publish', { channel: 'hi:a', data: 1 });
  });
  afterAll(() => api.close());

  it.each([
    ['publish', { channel: 'nope:a', data: 1 }, 404, { code: 102, message: 'unknown channel' }],
    ['publish', { data: 1 }, 400, { code: 107, message: 'bad request' }],
    ['presence', { channel: 'a' }, 400, { code: 108, message: 'not available' }],
    ['history', { channel: 'hi:a', since: { epoch: 'x' } }, 416, { code: 112, message: 'unrecoverable position' }],
    ['rpc', { method: 'x' }, 404, { code: 104, message: 'not found' }],
    [
      'history',
      { channel: 'hi:a', since: {}, reverse: true, limit: 1 },
      500,
      { code: 100, message: 'internal server error' },
    ],
  ])('makes the error of %s %j a status (19, 20)', async (method, request, status, error) => {
    expect(await post(api, `/api/${method}`, request, inTransport)).toEqual({
      status,
      text: JSON.stringify(error),
      contentType: 'application/json',
    });
    expect(await post(api, `/api/${method}`, request)).toEqual({
      status: 200,
      text: JSON.stringify({ error }),
      contentType: 'application/json',
    });
  });

  it('is asked for by exactly one value (21)', async () => {
    const headers = { ...inTransport, 'X-Centrifugo-Error-Mode': 'Transport' };
    expect(await post(api, '/api/publish', {}, headers)).toMatchObject({
      status: 200,
      text: '{"error":{"code":107,"message":"bad request"}}',
    });
  });

  it('does not concern batch (22)', async () => {
    expect(await post(api, '/api/batch', { commands: [{ publish: {} }] }, inTransport)).toMatchObject({
      status: 200,
      text: '{"replies":[{"error":{"code":107,"message":"bad request"}}]}',
    });
  });

  it('does not concern the channels of a broadcast (23)', async () => {
    const answer = await post(api, '/api/broadcast', { channels: ['a', 'x:y'], data: 1 }, inTransport);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      result: { responses: [{ result: {} }, { error: { code: 102 } }] },
    });
  });

  it('does not concern the legacy endpoint, nor answers of HTTP itself', async () => {
    expect((await post(api, '/api', { params: {} }, inTransport)).status).toBe(200);
    expect((await post(api, '/api/publish', '', inTransport)).text).toBe('Bad Request\n');
  });

  it('can be configured for all requests, and be nothing else (18)', async () => {
    const other = await startApi({ http_api: { key: 'k', error_mode: 'transport' } });
    expect((await post(other, '/api/publish', {})).status).toBe(400);
    await other.close();
    await expect(startApi({ http_api: { error_mode: 'bogus' } })).rejects.toThrow('error_mode');
  });
});
