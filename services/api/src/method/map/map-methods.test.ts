import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../../fixture/http-call.ts';
import { startApi, type RunningApi } from '../../fixture/start-api.ts';

describe('methods of maps and shared polls', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  const reads = ['map_read_state', 'map_read_stream', 'map_stats', 'map_clear'];

  it.each([
    ['map_publish', { key: 'k' }, 107],
    ['map_publish', { channel: 'mp:a' }, 107],
    ['map_publish', { channel: 'x:y', key: 'k' }, 102],
    ['map_publish', { channel: 'a', key: 'k' }, 107],
    ['map_publish', { channel: 'mp:a', key: 'k', key_mode: 'bogus' }, 107],
    ['map_publish', { channel: 'mp:a', key: 'k', b64data: '!' }, 107],
    ['map_publish', { channel: 'mp:a', key: 'k', data: 1 }, 108],
    ['map_remove', { channel: 'mp:a' }, 107],
    ['map_remove', { channel: 'mp:a', key: 'k' }, 108],
    ...reads.flatMap((method): [string, object, number][] => [
      [method, {}, 107],
      [method, { channel: 'x:y' }, 102],
      [method, { channel: 'a' }, 107],
      [method, { channel: 'mp:a' }, 108],
    ]),
    ['shared_poll_publish', { channel: 'sp:a', key: 'k' }, 107],
    ['shared_poll_publish', { channel: 'sp:a', version: 1 }, 107],
    ['shared_poll_publish', { key: 'k', version: 1 }, 107],
    ['shared_poll_publish', { channel: 'x:y', key: 'k', version: 1 }, 102],
    ['shared_poll_publish', { channel: 'a', key: 'k', version: 1 }, 107],
    ['shared_poll_publish', { channel: 'sp:a', key: 'k', version: 1, b64data: '!' }, 108],
  ])('%s %j is answered with %d (84, 85, 93)', async (method, request, code) => {
    expect((await call(api, method, request)).error?.code).toBe(code);
  });
});
