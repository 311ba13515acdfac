import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { grpcCall, unknownMethod } from '../fixture/grpc-call.ts';
import { startApi, type RunningApi } from '../fixture/start-api.ts';

const utf8 = (text: string): Uint8Array => Buffer.from(text);
const MESSAGE = { channel: 'news', data: utf8('{}') };

describe('the gRPC API', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi({ grpc_api: { enabled: true, key: 'k', max_receive_message_size: 100_000 } });
  });
  afterAll(() => api.close());

  it('refuses calls without the key (32)', async () => {
    for (const headers of [{}, { authorization: 'apikey x' }, { 'x-api-key': 'k' }]) {
      expect(await grpcCall(api.grpcAddress, 'publish', MESSAGE, headers)).toMatchObject({
        response: undefined,
        status: status.UNAUTHENTICATED,
        details: 'unauthenticated',
      });
    }
    expect(await grpcCall(api.grpcAddress, 'batch', {}, {})).toMatchObject({ status: status.UNAUTHENTICATED });
    expect(await grpcCall(api.grpcAddress, 'connections', {}, {})).toMatchObject({ status: status.UNAUTHENTICATED });
  });

  it('takes the key in one form alone (33)', async () => {
    expect((await grpcCall(api.grpcAddress, 'publish', MESSAGE)).response).toMatchObject({ result: {} });
    for (const authorization of ['Apikey k', 'apikey  k', 'apikey k extra', 'k', 'Bearer k']) {
      expect((await grpcCall(api.grpcAddress, 'info', {}, { authorization })).status).toBe(status.UNAUTHENTICATED);
    }
  });

  it('answers errors in the reply (35)', async () => {
    const { response } = await grpcCall(api.grpcAddress, 'publish', { ...MESSAGE, channel: 'nope:x' });
    expect(response).toEqual({ error: { code: 102, message: 'unknown channel' }, result: undefined });
  });

  it.each([
    ['publish', { channel: 'nope:x', data: utf8('1') }, status.NOT_FOUND, { code: 102, message: 'unknown channel' }],
    ['publish', {}, status.INVALID_ARGUMENT, { code: 107, message: 'bad request' }],
    ['presence', { channel: 'a' }, status.INVALID_ARGUMENT, { code: 108, message: 'not available' }],
    [
      'history',
      { channel: 'hi:a', since: { offset: 1, epoch: 'x' } },
      status.OUT_OF_RANGE,
      { code: 112, message: 'unrecoverable position' },
    ],
    ['rpc', { method: 'x' }, status.NOT_FOUND, { code: 104, message: 'not found' }],
    ['channels', { pattern: '[' }, status.INTERNAL, { code: 100, message: 'internal server error' }],
  ] as const)('answers an error of %s %j as a status when asked to (36)', async (method, request, code, error) => {
    const headers = { authorization: 'apikey k', 'x-centrifugo-error-mode': 'transport' };
    expect(await grpcCall(api.grpcAddress, method, request, headers)).toEqual({
      response: undefined,
      status: code,
      details: error.message,
      detail: error,
    });
    expect((await grpcCall(api.grpcAddress, method, request)).response).toMatchObject({ error });
  });

  it('leaves errors inside batch and broadcast alone', async () => {
    const headers = { authorization: 'apikey k', 'x-centrifugo-error-mode': 'transport' };
    const batch = await grpcCall(api.grpcAddress, 'batch', { commands: [{ publish: {} }, { info: {} }, {}] }, headers);
    expect(batch.response).toMatchObject({
      replies: [{ error: { code: 107 } }, { info: { nodes: [{ uid: 'node-id' }] } }, { error: { code: 104 } }],
    });
    const broadcast = await grpcCall(
      api.grpcAddress,
      'broadcast',
      { channels: ['a', 'x:y'], data: utf8('1') },
      headers,
    );
    expect(broadcast.response).toMatchObject({ result: { responses: [{ result: {} }, { error: { code: 102 } }] } });
  });

  it('leaves the other methods of the commercial build unimplemented (37)', async () => {
    for (const name of ['DeviceList', 'SendPushNotification', 'Nope']) {
      const answer = await grpcCall(api.grpcAddress, unknownMethod(name), {});
      expect(answer).toMatchObject({ status: status.UNIMPLEMENTED });
    }
    expect(await grpcCall(api.grpcAddress, unknownMethod('DeviceList'), {})).toMatchObject({
      details: 'method DeviceList not implemented',
    });
    expect(await grpcCall(api.grpcAddress, unknownMethod('DeviceList'), {}, {})).toMatchObject({
      status: status.UNAUTHENTICATED,
    });
  });

  it('carries binary data both ways', async () => {
    const data = Uint8Array.of(0, 255, 1);
    await grpcCall(api.grpcAddress, 'publish', { channel: 'binary:a', data });
    const { response } = await grpcCall(api.grpcAddress, 'history', { channel: 'binary:a', limit: -1 });
    expect(response).toMatchObject({ result: { publications: [{ data, offset: 1 }], offset: 1 } });
  });

  it('refuses messages above the configured size', async () => {
    const data = new Uint8Array(100_001);
    const { status: code } = await grpcCall(api.grpcAddress, 'publish', { channel: 'a', data });
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
  });
});

describe('options of the gRPC API', () => {
  const running: RunningApi[] = [];
  const start = async (grpc: object): Promise<RunningApi> => {
    const api = await startApi({ grpc_api: { enabled: true, ...grpc } });
    running.push(api);
    return api;
  };
  afterEach(async () => {
    for (const api of running.splice(0)) await api.close();
  });

  it('let everybody call without a configured key (34)', async () => {
    const api = await start({});
    expect((await grpcCall(api.grpcAddress, 'publish', MESSAGE, {})).response).toMatchObject({ result: {} });
  });

  it('answer all errors as statuses', async () => {
    const api = await start({ error_mode: 'transport' });
    expect(await grpcCall(api.grpcAddress, 'publish', {})).toMatchObject({ status: status.INVALID_ARGUMENT });
  });

  it('are refused with a clear error when the port is taken', async () => {
    const api = await start({});
    const port = Number(api.grpcAddress.split(':')[1]);
    await expect(startApi({ grpc_api: { enabled: true } }, { grpc: port })).rejects.toMatchObject({
      code: 'api_grpc_listen',
    });
  });
});
