import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, post } from '../../fixture/http-call.ts';
import { startApi, type RunningApi } from '../../fixture/start-api.ts';

describe('methods that read channels', () => {
  let api: RunningApi;
  let epoch = '';
  beforeAll(async () => {
    api = await startApi();
    for (const data of [1, 2, 3]) {
      const { result } = await call(api, 'publish', { channel: 'hi:a', data });
      epoch = String(result?.['epoch']);
    }
  });
  afterAll(() => api.close());

  it.each([
    ['presence', {}, 107],
    ['presence', { channel: 'x:y' }, 102],
    ['presence', { channel: 'a' }, 108],
    ['presence_stats', {}, 107],
    ['presence_stats', { channel: 'x:y' }, 102],
    ['presence_stats', { channel: 'a' }, 108],
    ['history', {}, 107],
    ['history', { channel: 'x:y' }, 102],
    ['history', { channel: 'a' }, 108],
    ['history', { channel: 'hi:a', limit: 1, since: { offset: 1, epoch: 'other' } }, 112],
    ['history', { channel: 'hi:a', limit: 1, since: { epoch: '' }, reverse: true }, 100],
    ['history_remove', {}, 107],
    ['history_remove', { channel: 'x:y' }, 102],
    ['history_remove', { channel: 'a' }, 108],
  ])('%s %j is refused with %d (67, 73, 74, 75)', async (method, request, code) => {
    expect((await call(api, method, request)).error?.code).toBe(code);
  });

  it('presence gives everybody by client (68, 69)', async () => {
    const info = Buffer.from('{"a": 1}');
    await api.presence.add('pr:a', { user: 'u', client: 'c1', connInfo: info, chanInfo: Buffer.from('2') });
    await api.presence.add('pr:a', { user: 'u', client: '__proto__' });
    const { text } = await post(api, '/api/presence', { channel: 'pr:a' });
    expect(text).toBe(
      '{"result":{"presence":{"__proto__":{"user":"u","client":"__proto__"},' +
        '"c1":{"user":"u","client":"c1","conn_info":{"a":1},"chan_info":2}}}}',
    );
    expect(await call(api, 'presence_stats', { channel: 'pr:a' })).toEqual({
      result: { num_clients: 2, num_users: 1 },
    });
  });

  it('presence of nobody is there too (69)', async () => {
    expect(await call(api, 'presence', { channel: 'pr:empty' })).toEqual({ result: { presence: {} } });
    expect(await call(api, 'presence_stats', { channel: 'pr:empty' })).toEqual({
      result: { num_clients: 0, num_users: 0 },
    });
  });

  it.each([
    [{}, []],
    [{ limit: -1 }, [1, 2, 3]],
    [{ limit: 2 }, [1, 2]],
    [{ limit: 2, reverse: true }, [3, 2]],
    [{ limit: -1, since: { offset: 1 } }, [2, 3]],
    [{ limit: -1, since: { offset: 3 } }, []],
    [{ limit: -1, since: { offset: 9 } }, []],
    [{ limit: -1, since: { offset: 4 }, reverse: true }, [3, 2, 1]],
    [{ limit: -1, since: { offset: 3 }, reverse: true }, [2, 1]],
    [{ limit: -1, since: null, reverse: null }, [1, 2, 3]],
  ])('history with %j gives %j (70, 71, 72, 73)', async (request, offsets) => {
    const { result } = await call(api, 'history', { channel: 'hi:a', ...request });
    expect(result).toEqual({ publications: offsets.map((offset) => ({ data: offset, offset })), epoch, offset: 3 });
  });

  it('history since a position of the same epoch starts after it (72)', async () => {
    const { result } = await call(api, 'history', { channel: 'hi:a', limit: -1, since: { offset: 2, epoch } });
    expect(result?.['publications']).toEqual([{ data: 3, offset: 3 }]);
  });

  it('history of a channel nobody has published to is empty', async () => {
    const { result } = await call(api, 'history', { channel: 'hi:new', limit: -1 });
    expect(result).toEqual({ publications: [], epoch: expect.stringMatching(/./) as unknown, offset: 0 });
  });

  it('history_remove keeps the position (75)', async () => {
    const { result } = await call(api, 'publish', { channel: 'hi:r', data: 1 });
    expect(await call(api, 'history_remove', { channel: 'hi:r' })).toEqual({ result: {} });
    expect((await call(api, 'history', { channel: 'hi:r', limit: -1 })).result).toEqual({
      publications: [],
      epoch: result?.['epoch'],
      offset: 1,
    });
  });

  it('binary publications cannot be read over HTTP (76)', async () => {
    await call(api, 'publish', { channel: 'binary:a', b64data: 'AAE=' });
    expect(await post(api, '/api/history', { channel: 'binary:a', limit: 1 })).toEqual({
      status: 500,
      text: 'Internal Server Error\n',
      contentType: 'text/plain; charset=utf-8',
    });
  });
});
