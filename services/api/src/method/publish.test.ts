import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call } from '../fixture/http-call.ts';
import { configOf, rulesOf, startApi, type RunningApi } from '../fixture/start-api.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('publish', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  beforeEach(() => {
    api.received.length = 0;
  });
  afterAll(() => api.close());

  const payloads = (): string[] => api.received.map(({ live }) => Buffer.from(live.publication.data ?? '').toString());

  it.each([
    [{ data: 1 }, 107],
    [{ channel: '', data: 1 }, 107],
    [{ channel: 'nope:a', data: 1 }, 102],
    [{ channel: 'nope:a', b64data: '!' }, 107],
    [{ channel: 'a' }, 107],
    [{ channel: 'a', b64data: 'YQ' }, 107],
    [{ channel: 'a', b64data: '_-_-' }, 107],
    [{ channel: 'json:a', b64data: base64('{') }, 107],
    [{ channel: 'object:a', data: [] }, 107],
    [{ channel: 'mp:a', data: 1 }, 107],
    [{ channel: 'sp:a', data: 1 }, 107],
  ])('refuses %j with %d (38 to 42)', async (request, code) => {
    expect((await call(api, 'publish', request)).error?.code).toBe(code);
  });

  it.each([
    [{ channel: 'binary:a' }],
    [{ channel: 'json:a', data: 'text' }],
    [{ channel: 'object:a', data: {} }],
    [{ channel: 'a', b64data: base64('\u0000') }],
    [{ channel: 'a', b64data: 'Y\nQ==' }],
    [{ channel: '$priv', data: 1 }],
    [{ channel: '$hi:priv', data: 1 }],
    [{ channel: 'ы'.repeat(400), data: 1 }],
    [{ channel: ':a', data: 1 }],
    [{ channel: 'a b*>.', data: 1 }],
  ])('accepts %j (39, 40, 54)', async (request) => {
    expect(await call(api, 'publish', request)).toHaveProperty('result');
  });

  it('takes b64data rather than data when both are there (41)', async () => {
    await api.broker.join('a', {});
    await call(api, 'publish', { channel: 'a', data: { a: 1 }, b64data: base64('bin') });
    await call(api, 'publish', { channel: 'a', data: { a: 1 }, b64data: '' });
    expect(payloads()).toEqual(['bin', '{"a":1}']);
  });

  it('gives the position where the channel keeps history (44)', async () => {
    expect(await call(api, 'publish', { channel: 'a', data: 1 })).toEqual({ result: {} });
    const first = await call(api, 'publish', { channel: 'hi:44', data: 1 });
    const second = await call(api, 'publish', { channel: 'hi:44', data: 2 });
    expect(first.result).toEqual({ offset: 1, epoch: expect.stringMatching(/./) as unknown });
    expect(second.result).toEqual({ offset: 2, epoch: first.result?.['epoch'] });
  });

  it('delivers but does not store with skip_history (45)', async () => {
    await api.broker.join('hi:45', {});
    await call(api, 'publish', { channel: 'hi:45', data: 1 });
    expect(await call(api, 'publish', { channel: 'hi:45', data: 2, skip_history: true })).toEqual({ result: {} });
    expect(payloads()).toEqual(['1', '2']);
    const history = await call(api, 'history', { channel: 'hi:45', limit: -1 });
    expect(history.result).toMatchObject({ publications: [{ data: 1 }], offset: 1 });
  });

  it('does a publish with the same idempotency key once per channel (46)', async () => {
    await api.broker.join('hi:46', {});
    const request = { channel: 'hi:46', data: 1, idempotency_key: 'i' };
    const first = await call(api, 'publish', request);
    expect(await call(api, 'publish', request)).toEqual(first);
    expect(payloads()).toEqual(['1']);
    expect((await call(api, 'publish', { ...request, channel: 'hi:46b' })).result).toMatchObject({ offset: 1 });
  });

  it('suppresses versions that are not above the stored one (47, 48, 49)', async () => {
    await api.broker.join('hi:47', {});
    const publish = async (data: number, fields: object): Promise<unknown> =>
      (await call(api, 'publish', { channel: 'hi:47', data, ...fields })).result?.['offset'];
    expect(await publish(1, { version: 2 })).toBe(1);
    expect(await publish(2, { version: 1 })).toBe(1);
    expect(await publish(3, { version: 2 })).toBe(1);
    expect(await publish(4, { version: 1, version_epoch: 'other' })).toBe(2);
    expect(await publish(5, {})).toBe(3);
    expect(await publish(6, { version: 1 })).toBe(3);
    expect(payloads()).toEqual(['1', '4', '5']);
  });

  it('does not look at versions where there is no history (50)', async () => {
    await api.broker.join('a', {});
    await call(api, 'publish', { channel: 'a', data: 1, version: 2 });
    await call(api, 'publish', { channel: 'a', data: 2, version: 1 });
    expect(payloads()).toEqual(['1', '2']);
  });

  it('passes tags on to subscribers and history (51)', async () => {
    await api.broker.join('hi:51', {});
    await call(api, 'publish', { channel: 'hi:51', data: 1, tags: { a: 'b' } });
    expect(api.received[0]?.live.publication.tags).toEqual({ a: 'b' });
    const history = await call(api, 'history', { channel: 'hi:51', limit: 1 });
    expect(history.result?.['publications']).toEqual([{ data: 1, offset: 1, tags: { a: 'b' } }]);
  });

  it('takes null as a payload (52)', async () => {
    await api.broker.join('a', {});
    await call(api, 'publish', { channel: 'a', data: null });
    expect(payloads()).toEqual(['null']);
  });

  it('marks what may travel as a delta', async () => {
    await api.broker.join('hi:a', {});
    // The first has no publication before it.
    for (const delta of [true, true, false]) await call(api, 'publish', { channel: 'hi:a', data: 1, delta });
    expect(api.received.map(({ live }) => live.delta)).toEqual([false, true, false]);
  });

  it('answers 100 when the broker fails', async () => {
    const other = await startApi();
    await other.broker.close();
    expect((await call(other, 'publish', { channel: 'a', data: 1 })).error).toEqual({
      code: 100,
      message: 'internal server error',
    });
    await other.close();
  });

  it('uses channel options that were read again', async () => {
    const other = await startApi();
    expect((await call(other, 'publish', { channel: 'fresh:a', data: 1 })).error?.code).toBe(102);
    const config = configOf({ channel: { namespaces: [{ name: 'fresh' }], publication_data_format: 'json_object' } });
    other.api.updateChannels(rulesOf(config), config);
    expect((await call(other, 'publish', { channel: 'fresh:a', data: {} })).result).toEqual({});
    expect((await call(other, 'publish', { channel: 'fresh:a', data: 1 })).error?.code).toBe(107);
    expect((await call(other, 'publish', { channel: 'hi:a', data: {} })).error?.code).toBe(102);
    await other.close();
  });
});
