import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call } from '../../fixture/http-call.ts';
import { startApi, type RunningApi } from '../../fixture/start-api.ts';

describe('methods that read the cluster', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  beforeEach(() => {
    api.node.channels = new Map([
      ['news', 2],
      ['news:x', 1],
      ['left', 0],
    ]);
  });
  afterAll(() => api.close());

  it('info tells of this node (77)', async () => {
    await api.clock.advance(12_900);
    expect(await call(api, 'info', {})).toEqual({
      result: {
        nodes: [
          {
            uid: 'node-id',
            name: 'node-1',
            version: expect.stringMatching(/^\d+\.\d+\.\d+ OSS$/) as unknown,
            num_clients: 0,
            num_users: 0,
            num_channels: 3,
            num_subs: 0,
            uptime: 12,
          },
        ],
      },
    });
  });

  it('rpc has no methods (78)', async () => {
    expect((await call(api, 'rpc', {})).error).toEqual({ code: 107, message: 'bad request' });
    expect((await call(api, 'rpc', { method: 'x', params: {} })).error).toEqual({ code: 104, message: 'not found' });
  });

  it('channels lists those with subscribers (79)', async () => {
    expect((await call(api, 'channels', {})).result).toEqual({
      channels: { news: { num_clients: 2 }, 'news:x': { num_clients: 1 } },
    });
  });

  it('channels with nothing active is an empty map (80)', async () => {
    api.node.channels = new Map();
    expect(await call(api, 'channels', { pattern: 'news*' })).toEqual({ result: { channels: {} } });
  });

  it.each(['[', 'a['])('channels refuses the pattern %j with 100 (79)', async (pattern) => {
    expect((await call(api, 'channels', { pattern })).error?.code).toBe(100);
  });

  it('info fails with 100 when a node does', async () => {
    api.node.channels = new Error('away');
    expect((await call(api, 'info', {})).error?.code).toBe(100);
  });

  it('channels fails with 100 when a node does', async () => {
    api.node.channels = new Error('away');
    expect((await call(api, 'channels', {})).error?.code).toBe(100);
  });
});
