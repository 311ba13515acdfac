import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../fixture/http-call.ts';
import { startApi, type RunningApi } from '../fixture/start-api.ts';

describe('broadcast', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  it.each([[{ data: 1 }], [{ channels: [], data: 1 }], [{ channels: ['a'], b64data: '!' }]])(
    'refuses %j as a whole (53)',
    async (request) => {
      expect((await call(api, 'broadcast', request)).error?.code).toBe(107);
    },
  );

  it('answers for each channel, in order (53)', async () => {
    const channels = ['a', '', 'x:y', 'object:a', 'hi:b', 'hi:b'];
    const { result } = await call(api, 'broadcast', { channels, data: 1 });
    expect(result?.['responses']).toMatchObject([
      { result: {} },
      { error: { code: 107, message: 'bad request' } },
      { error: { code: 102, message: 'unknown channel' } },
      { error: { code: 107 } },
      { result: { offset: 1 } },
      { result: { offset: 2 } },
    ]);
  });

  it('does not look at the type of the namespace (43)', async () => {
    const { result } = await call(api, 'broadcast', { channels: ['mp:a', 'sp:a'], data: 1 });
    expect(result?.['responses']).toEqual([{ result: {} }, { result: {} }]);
  });

  it('keeps the order with more channels than it publishes to at a time', async () => {
    const channels = Array.from({ length: 3_000 }, (_, i) => (i % 3 === 0 ? `hi:many${i}` : 'x:y'));
    const { result } = await call(api, 'broadcast', { channels, data: 1, idempotency_key: 'same' });
    const responses = result?.['responses'] as { result?: { offset: number }; error?: { code: number } }[];
    expect(responses.map((it) => it.result?.offset ?? it.error?.code)).toEqual(
      channels.map((name) => (name === 'x:y' ? 102 : 1)),
    );
  });

  it('tells the failures of the broker by channel', async () => {
    const other = await startApi();
    await other.broker.close();
    const { result } = await call(other, 'broadcast', { channels: ['a', 'x:y'], data: 1 });
    expect(result?.['responses']).toMatchObject([{ error: { code: 100 } }, { error: { code: 102 } }]);
    await other.close();
  });
});
