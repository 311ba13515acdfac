import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from '../fixture/http-call.ts';
import { startApi, type RunningApi } from '../fixture/start-api.ts';

describe('the legacy endpoint', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
    await api.broker.join('a', {});
  });
  afterAll(() => api.close());

  const NOT_FOUND = '{"error":{"code":104,"message":"not found"}}';
  const BAD_REQUEST = '{"error":{"code":107,"message":"bad request"}}';

  it.each([
    ['a named method (24)', '{"method":"publish","params":{"channel":"a","data":1}}', '{"result":{}}'],
    ['a name in any case (25)', '{"method":"PUBLISH","params":{"channel":"a","data":1}}', '{"result":{}}'],
    ['a number (25)', '{"method":0,"params":{"channel":"a","data":1}}', '{"result":{}}'],
    ['no method at all (25)', '{"params":{"channel":"a","data":1}}', '{"result":{}}'],
    ['a number nobody has (28)', '{"method":99}', NOT_FOUND],
    ['a method of the commercial build (28)', '{"id":3,"method":"device_list"}', `{"id":3,${NOT_FOUND.slice(1)}`],
    ['missing params (29)', '{"method":"publish"}', BAD_REQUEST],
    ['params of the wrong type', '{"method":"publish","params":{"channel":1}}', BAD_REQUEST],
    ['params that are no object', '{"method":"publish","params":[]}', BAD_REQUEST],
    [
      'an unknown channel',
      '{"id":7,"params":{"channel":"x:y"}}',
      '{"id":7,"error":{"code":102,"message":"unknown channel"}}',
    ],
    ['only whitespace', ' \n ', ''],
  ])('answers %s', async (_title, body, text) => {
    expect(await post(api, '/api', body)).toEqual({ status: 200, text, contentType: 'application/json' });
  });

  it('answers info without and with odd params (29)', async () => {
    for (const body of ['{"method":"info"}', '{"method":9,"params":[1]}']) {
      expect((await post(api, '/api', body)).text).toMatch(/^\{"result":\{"nodes":\[\{"uid":"node-id"/);
    }
  });

  it('runs several commands in order and echoes their ids (26)', async () => {
    const body =
      '{"id":1,"method":"publish","params":{"channel":"hi:l","data":1}}\n{"id":2,"method":"history","params":{"channel":"hi:l","limit":1}}{"method":"rpc","params":{}}';
    const lines = (await post(api, '/api', body)).text.split('\n').map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { id: 1, result: { offset: 1 } },
      { id: 2, result: { publications: [{ data: 1, offset: 1 }] } },
      { error: { code: 107 } },
    ]);
    expect(lines[2]).not.toHaveProperty('id');
  });

  it.each(['{"method":"nope"}', '{"method":""}', '{"method":null}', '{"method":"batch"}', '', '{', '[]', '{"id":-1}'])(
    'refuses the body %j as a whole (27, 31)',
    async (body) => {
      expect(await post(api, '/api', body)).toMatchObject({ status: 400, text: 'Bad Request\n' });
    },
  );

  it('has run what stands before a malformed command (30)', async () => {
    api.received.length = 0;
    const body = '{"params":{"channel":"a","data":"before"}}\n{"method":';
    expect((await post(api, '/api', body)).status).toBe(400);
    expect(api.received.map(({ live }) => Buffer.from(live.publication.data ?? '').toString())).toEqual(['"before"']);
  });

  it('fails as a whole when one result cannot be JSON', async () => {
    await post(api, '/api/publish', { channel: 'binary:l', b64data: 'AAE=' });
    const body = '{"method":"info"}{"method":"history","params":{"channel":"binary:l","limit":-1}}';
    expect(await post(api, '/api', body)).toMatchObject({ status: 500, text: 'Internal Server Error\n' });
  });

  it('answers 503 while the node shuts down', async () => {
    const other = await startApi();
    // A connection that is there outlives the listener.
    const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
    const ask = async (path: string): Promise<string> => {
      socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\nContent-Length: 17\r\n\r\n{"method":"info"}`);
      const [data] = (await once(socket, 'data')) as [Buffer];
      return data.toString();
    };
    expect(await ask('/api')).toContain('200 OK');
    await other.api.drain();
    expect(await ask('/api')).toMatch(/^HTTP\/1.1 503 .*Content-Length: 0/s);
    await other.close();
  });
});
