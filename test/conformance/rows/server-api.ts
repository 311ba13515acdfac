import { expect } from 'vitest';

import type { Json } from '../../harness/raw-client.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { HttpAnswer, Trial } from '../trial.ts';

const KEY = { 'X-API-Key': 'k' };

const post = (t: Trial, path: string, body: string, headers: Record<string, string> = KEY): Promise<HttpAnswer> =>
  t.apiHttp(path, { body, headers });

/** Publishes with these headers or query. */
const publishStatus = async (t: Trial, headers: Record<string, string>, query = ''): Promise<number> =>
  (await post(t, `/api/publish${query}`, JSON.stringify({ channel: t.channel(), data: 1 }), headers)).status;

const inTransportMode = (t: Trial, method: string, body: unknown, mode = 'transport'): Promise<HttpAnswer> =>
  post(t, `/api/${method}`, JSON.stringify(body), { ...KEY, 'X-Centrifugo-Error-Mode': mode });

export const http: readonly Scenario[] = [
  row('api 1', 'GET is not allowed, even without a key', async (t) => {
    const { status, text } = await t.apiHttp('/api/publish', { method: 'GET' });
    expect([status, text]).toEqual([405, '']);
  }),
  row('api 2', 'a call without a key gets 401 and no body', async (t) => {
    const { status, text } = await post(t, '/api/publish', '{}', {});
    expect([status, text]).toEqual([401, '']);
  }),
  row('api 3', 'the key in a header, however spelt', async (t) => {
    expect(await publishStatus(t, { 'x-api-KEY': 'k' })).toBe(200);
  }),
  row('api 4', 'the key as authorization', async (t) => {
    expect(await publishStatus(t, { Authorization: 'apikey k' })).toBe(200);
    expect(await publishStatus(t, { Authorization: 'ApiKey k' })).toBe(200);
  }),
  row('api 5', 'other authorizations get 401', async (t) => {
    for (const value of ['Bearer k', 'apikey k extra', 'apikey', 'apikey K']) {
      expect(await publishStatus(t, { Authorization: value }), value).toBe(401);
    }
  }),
  row('api 6', 'the key in the query', async (t) => {
    expect(await publishStatus(t, {}, '?api_key=k')).toBe(200);
  }),
  row('api 7', 'a wrong key header is not saved by a right authorization', async (t) => {
    expect(await publishStatus(t, { 'X-API-Key': 'no', Authorization: 'apikey k' })).toBe(401);
  }),
  row('api 8', 'a wrong key header is saved by a right query', async (t) => {
    expect(await publishStatus(t, { 'X-API-Key': 'no' }, '?api_key=k')).toBe(200);
  }),
  rowFor('limits', 'api 9', 'without a configured key every call gets 401', async (t) => {
    expect(await publishStatus(t, { 'X-API-Key': 'k' })).toBe(401);
    expect(await publishStatus(t, { 'X-API-Key': '' }, '?api_key=')).toBe(401);
  }),
  rowFor('insecure', 'api 10', 'http_api.insecure needs no key', async (t) => {
    expect(await publishStatus(t, {})).toBe(200);
  }),
  row('api 11', 'unknown routes get 404', async (t) => {
    for (const path of ['/api/device_list', '/api/', '/api/nope']) {
      const { status, text } = await post(t, path, '{}');
      expect([status, text], path).toEqual([404, '404 page not found\n']);
    }
  }),
  rowFor('insecure', 'api 11b', 'the open edition does not know commercial methods', async (t) => {
    for (const method of ['connections', 'block_user', 'get_user_status']) {
      const { status, text } = await post(t, `/api/${method}`, '{}');
      expect([status, text], method).toEqual([404, '404 page not found\n']);
      const batch = await post(t, '/api/batch', `{"commands":[{"${method}":{}}]}`);
      expect(batch.text).toBe('{"replies":[{"error":{"code":104,"message":"not found"}}]}');
      expect((await post(t, '/api', `{"method":"${method}"}`)).text).toBe(
        '{"error":{"code":104,"message":"not found"}}',
      );
    }
  }),
  row('api 12', 'an empty body gets 400', async (t) => {
    expect((await post(t, '/api/info', '')).status).toBe(400);
    expect((await post(t, '/api/info', '{}')).status).toBe(200);
  }),
  row('api 13', 'a wrong JSON type gets 400', async (t) => {
    const { status, text, headers } = await post(t, '/api/publish', '{"channel":1,"data":{}}');
    expect([status, text]).toEqual([400, 'Bad Request\n']);
    expect(headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
  }),
  row('api 14', 'malformed JSON gets 400', async (t) => {
    expect((await post(t, '/api/publish', '{"channel":')).status).toBe(400);
    expect((await post(t, '/api/publish', '\u0000\u0001')).status).toBe(400);
  }),
  row('api 15', 'unknown keys are ignored', async (t) => {
    const body = JSON.stringify({ channel: t.channel(), data: 1, nope: { deep: [] } });
    expect((await post(t, '/api/publish', body)).json).toEqual({ result: {} });
  }),
  rowFor('anonymous', 'api 16', 'handler_prefix moves the routes', async (t) => {
    expect((await post(t, '/x/publish', JSON.stringify({ channel: 'a', data: 1 }))).json).toEqual({ result: {} });
    expect((await post(t, '/x', '{"params":{"channel":"a","data":1}}')).json).toEqual({ result: {} });
    expect((await post(t, '/api/publish', '{}')).status).toBe(404);
  }),
  row('api 17', 'answers are application/json', async (t) => {
    expect((await post(t, '/api/info', '{}')).headers.get('Content-Type')).toMatch(/^application\/json/);
  }),
  row('api 19', 'transport error mode answers with the status of the error', async (t) => {
    const { status, json } = await inTransportMode(t, 'publish', { channel: 'nope:x', data: 1 });
    expect([status, json]).toEqual([404, { code: 102, message: 'unknown channel' }]);
  }),
  row('api 20', 'statuses of transport error mode', async (t) => {
    expect(await inTransportMode(t, 'publish', { channel: '', data: 1 })).toMatchObject({
      status: 400,
      json: { code: 107 },
    });
    expect(await inTransportMode(t, 'presence', { channel: t.channel() })).toMatchObject({
      status: 400,
      json: { code: 108 },
    });
    await t.publish(t.channel('hist'), 1);
    expect(
      await inTransportMode(t, 'history', { channel: t.channel('hist'), limit: 1, since: { offset: 1, epoch: 'x' } }),
    ).toMatchObject({
      status: 416,
      json: { code: 112, message: 'unrecoverable position' },
    });
  }),
  row('api 21', 'the value of the header is case-sensitive', async (t) => {
    const { status, json } = await inTransportMode(t, 'publish', { channel: 'nope:x', data: 1 }, 'Transport');
    expect([status, json]).toEqual([200, { error: { code: 102, message: 'unknown channel' } }]);
  }),
  row('api 22', 'a batch stays 200 in transport error mode', async (t) => {
    const { status, json } = await inTransportMode(t, 'batch', { commands: [{ publish: { channel: '', data: 1 } }] });
    expect([status, json]).toMatchObject([200, { replies: [{ error: { code: 107 } }] }]);
  }),
  row('api 23', 'a broadcast with a bad channel stays 200 in transport error mode', async (t) => {
    const { status, json } = await inTransportMode(t, 'broadcast', { channels: ['nope:x'], data: 1 });
    expect([status, json.result.responses[0].error.code]).toEqual([200, 102]);
  }),
  row('api 23b', 'keys are matched without regard to case', async (t) => {
    expect((await post(t, '/api/publish', `{"Channel":"${t.channel()}","DATA":1}`)).json).toEqual({ result: {} });
  }),
];

const legacy = async (t: Trial, body: string): Promise<Json[] | number> => {
  const { status, text } = await post(t, '/api', body);
  return status === 200
    ? text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    : status;
};

export const legacyCommands: readonly Scenario[] = [
  row('api 24', 'one command', async (t) => {
    expect(await legacy(t, `{"method":"publish","params":{"channel":"${t.channel()}","data":1}}`)).toEqual([
      { result: {} },
    ]);
  }),
  row('api 25', 'the method as upper case, number or left out', async (t) => {
    const params = { channel: t.channel(), data: 1 };
    for (const method of ['PUBLISH', 0, undefined]) {
      expect(await legacy(t, JSON.stringify({ method, params })), String(method)).toEqual([{ result: {} }]);
    }
  }),
  row('api 25b', 'keys in any case, as older libraries write them', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    const params = { Channel: t.channel(), Data: { text: 'old' } };
    const text = [
      { Method: 'publish', Params: params, ID: 7 },
      { METHOD: 'Presence_Stats', params: { CHANNEL: t.channel() } },
      { method: 'history', PARAMS: { channel: 'nope:x', LIMIT: 1 } },
    ]
      .map((one) => JSON.stringify(one))
      .join('');
    expect(await legacy(t, text)).toEqual([
      { id: 7, result: {} },
      { error: { code: 108, message: 'not available' } },
      { error: { code: 102, message: 'unknown channel' } },
    ]);
    expect((await client.publication()).data).toEqual({ text: 'old' });
  }),
  row('api 26', 'two commands get two lines', async (t) => {
    const params = { channel: t.channel(), data: 1 };
    const text = [
      { id: 1, method: 'publish', params },
      { id: 2, method: 'info' },
    ]
      .map((one) => JSON.stringify(one))
      .join('\n');
    expect(await legacy(t, text)).toEqual([
      { id: 1, result: {} },
      { id: 2, result: { nodes: expect.any(Array) } },
    ]);
  }),
  row('api 27', 'an unknown method gets 400', async (t) => {
    expect(await legacy(t, '{"method":"nope"}')).toBe(400);
  }),
  row('api 28', 'an unknown number or a method that is not built gets error 104', async (t) => {
    const expected = [{ error: { code: 104, message: 'not found' } }];
    expect(await legacy(t, '{"method":99}')).toEqual(expected);
    expect(await legacy(t, '{"method":"device_list"}')).toEqual(expected);
  }),
  row('api 29', 'params may be left out for info only', async (t) => {
    expect(await legacy(t, '{"method":"publish"}')).toEqual([{ error: { code: 107, message: 'bad request' } }]);
    expect(await legacy(t, '{"method":"info"}')).toEqual([{ result: { nodes: expect.any(Array) } }]);
  }),
  row('api 30', 'a broken second command fails the request, the first was done', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    expect(await legacy(t, `{"params":{"channel":"${t.channel()}","data":"first"}}\n{"method":`)).toBe(400);
    expect((await client.publication()).data).toBe('first');
  }),
  row('api 31', 'an empty body gets 400, blank space nothing', async (t) => {
    expect(await legacy(t, '')).toBe(400);
    expect(await legacy(t, ' \n')).toEqual([]);
  }),
];

export const publishing: readonly Scenario[] = [
  row('api 38', 'publish needs a channel of a known namespace', async (t) => {
    expect(await t.errorCode('publish', { channel: '', data: 1 })).toBe(107);
    expect(await t.errorCode('publish', { data: 1 })).toBe(107);
    expect(await t.errorCode('publish', { channel: 'nope:x', data: 1 })).toBe(102);
  }),
  row('api 39', 'publish needs data, unless the format is binary', async (t) => {
    expect(await t.errorCode('publish', { channel: t.channel() })).toBe(107);
    expect(await t.result('publish', { channel: t.channel('bin') })).toEqual({});
  }),
  row('api 40', 'the formats json and json_object', async (t) => {
    const b64data = Buffer.from('not json').toString('base64');
    expect(await t.errorCode('publish', { channel: t.channel('json'), b64data })).toBe(107);
    expect(await t.result('publish', { channel: t.channel('json'), data: [1] })).toEqual({});
    expect(await t.errorCode('publish', { channel: t.channel('obj'), data: [1] })).toBe(107);
    expect(await t.result('publish', { channel: t.channel('obj'), data: {} })).toEqual({});
  }),
  row('api 41', 'b64data wins over data and must be base64', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    expect(await t.errorCode('publish', { channel: t.channel(), b64data: '***' })).toBe(107);
    await t.publish(t.channel(), 'data', { b64data: Buffer.from('"b64"').toString('base64') });
    expect((await client.publication()).data).toBe('b64');
  }),
  row('api 42', 'publish to a map namespace gets 107', async (t) => {
    expect(await t.errorCode('publish', { channel: t.channel('map'), data: 1 })).toBe(107);
  }),
  row('api 43', 'broadcast to a map namespace is not rejected for its type', async (t) => {
    const { responses } = await t.result('broadcast', { channels: [t.channel('map')], data: 1 });
    expect(responses).toHaveLength(1);
    expect(responses[0]).toHaveProperty('result');
  }),
  row('api 44', 'with history a publication gets the next offset and the epoch', async (t) => {
    expect(await t.publish(t.channel(), 1)).toEqual({});
    const { epoch } = await t.publish(t.channel('hist'), 1);
    expect(epoch).toEqual(expect.stringMatching(/^.+$/));
    expect(await t.publish(t.channel('hist'), 2)).toEqual({ offset: 2, epoch });
  }),
  row('api 45', 'skip_history delivers without storing', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    await client.subscribe(channel);
    await t.publish(channel, 1);
    expect(await t.publish(channel, 2, { skip_history: true })).toEqual({});
    expect((await client.publication()).data).toBe(1);
    const second = await client.publication();
    expect(second.data).toBe(2);
    expect(second).not.toHaveProperty('offset');
    expect(await t.result('history', { channel, limit: -1 })).toMatchObject({ offset: 1, publications: [{ data: 1 }] });
  }),
  row('api 46', 'an idempotency key publishes once for each channel', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    await client.subscribe(channel);
    const first = await t.publish(channel, 'a', { idempotency_key: 'key' });
    expect(await t.publish(channel, 'b', { idempotency_key: 'key' })).toEqual(first);
    expect(await t.publish(t.channel('hist', 'other'), 'a', { idempotency_key: 'key' })).toMatchObject({ offset: 1 });
    await t.publish(channel, 'last');
    expect([(await client.publication()).data, (await client.publication()).data]).toEqual(['a', 'last']);
  }),
  row('api 46b', 'an idempotency key works without history', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    for (const data of ['a', 'b']) expect(await t.publish(t.channel(), data, { idempotency_key: 'key' })).toEqual({});
    await t.publish(t.channel(), 'last');
    expect([(await client.publication()).data, (await client.publication()).data]).toEqual(['a', 'last']);
  }),
  row('api 46c', 'an idempotency key counts with and without skip_history', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    await client.subscribe(channel);
    const kept = { idempotency_key: 'kept' };
    const live = { idempotency_key: 'live' };
    const first = await t.publish(channel, 'a', kept);
    for (let turn = 0; turn < 2; turn += 1)
      expect(await t.publish(channel, 1, { ...kept, skip_history: true })).toEqual(first);
    expect(await t.publish(channel, 'b', { ...live, skip_history: true })).toEqual({});
    for (let turn = 0; turn < 2; turn += 1) expect(await t.publish(channel, 2, live)).toEqual({});
    expect(await t.publish(channel, 'c')).toEqual({ ...first, offset: 2 });
    const received = [await client.publication(), await client.publication(), await client.publication()];
    expect(received.map(({ data }) => data)).toEqual(['a', 'b', 'c']);
  }),
  row('api 47', 'an older version is not published', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    await client.subscribe(channel);
    const first = await t.publish(channel, 'v2', { version: 2 });
    expect(await t.publish(channel, 'v1', { version: 1 })).toEqual(first);
    expect(await t.publish(channel, 'v2 again', { version: 2 })).toEqual(first);
    expect(await t.publish(channel, 'v3', { version: 3 })).toEqual({ ...first, offset: 2 });
    expect([(await client.publication()).data, (await client.publication()).data]).toEqual(['v2', 'v3']);
  }),
  row('api 47b', 'versions of 64 bits are compared exactly', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    await client.subscribe(channel);
    const publish = async (version: string): Promise<number | undefined> => {
      const body = `{"channel":"${channel}","data":"${version}","version":${version}}`;
      return (await post(t, '/api/publish', body)).json.result.offset;
    };
    expect(await publish('1770000000123456789')).toBe(1);
    expect(await publish('1770000000123456789')).toBe(1);
    expect(await publish('1770000000123456788')).toBe(1);
    expect(await publish('1770000000123456790')).toBe(2);
    expect(await publish('18446744073709551615')).toBe(3);
    expect([(await client.publication()).data, (await client.publication()).data]).toEqual([
      '1770000000123456789',
      '1770000000123456790',
    ]);
  }),
  row('api 48', 'another version epoch starts anew', async (t) => {
    const channel = t.channel('hist');
    await t.publish(channel, 1, { version: 5, version_epoch: 'a' });
    expect(await t.publish(channel, 2, { version: 1, version_epoch: 'b' })).toMatchObject({ offset: 2 });
  }),
  row('api 49', 'the version is kept over publications without one', async (t) => {
    const channel = t.channel('hist');
    await t.publish(channel, 1, { version: 5 });
    await t.publish(channel, 2);
    expect(await t.publish(channel, 3, { version: 3 })).toMatchObject({ offset: 2 });
  }),
  row('api 50', 'without history versions do not count', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    await t.publish(t.channel(), 'v2', { version: 2 });
    await t.publish(t.channel(), 'v1', { version: 1 });
    expect([await client.publication(), await client.publication()]).toEqual([
      { data: 'v2', version: 2 },
      { data: 'v1', version: 1 },
    ]);
  }),
  row('api 51', 'tags reach subscribers and history', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    await client.subscribe(channel);
    await t.publish(channel, 1, { tags: { a: 'b' } });
    expect(await client.publication()).toMatchObject({ data: 1, tags: { a: 'b' } });
    expect((await t.result('history', { channel, limit: 1 })).publications).toEqual([
      { data: 1, offset: 1, tags: { a: 'b' } },
    ]);
  }),
  row('api 52', 'null is a payload', async (t) => {
    const client = await t.connect();
    await client.subscribe(t.channel());
    await t.publish(t.channel(), null);
    expect(await client.push()).toEqual({ channel: t.channel(), pub: { data: null } });
  }),
  row('api 53', 'broadcast answers for each channel in order', async (t) => {
    expect(await t.errorCode('broadcast', { channels: [], data: 1 })).toBe(107);
    expect(await t.errorCode('broadcast', { channels: ['a'], b64data: '***' })).toBe(107);
    const { responses } = await t.result('broadcast', { channels: [t.channel(), '', 'nope:y'], data: 1 });
    expect(responses).toEqual([
      { result: {} },
      { error: { code: 107, message: 'bad request' } },
      { error: { code: 102, message: 'unknown channel' } },
    ]);
  }),
  row('api 54', 'the server API is not bound to the rules of names', async (t) => {
    for (const channel of [`$${t.id}`, 'x'.repeat(300), t.channel('digits'), 'naïve ☃', 'a b*c>d.e']) {
      expect((await t.server.api('publish', { channel, data: 1 })).body, channel).toHaveProperty('result');
    }
  }),
  row('api 54b', 'odd channel names carry publications', async (t) => {
    const client = await t.connect();
    for (const name of ['a b', '*', '>', 'a.b.c', 'x\ty', '%', '_']) {
      const channel = `${name}${t.id}`;
      expect(await client.subscribe(channel), name).toMatchObject({ subscribe: {} });
      await t.publish(channel, name);
      expect(await client.push()).toEqual({ channel, pub: { data: name } });
    }
  }),
];
