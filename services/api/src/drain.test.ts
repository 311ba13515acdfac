import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcCall } from './fixture/grpc-call.ts';
import { post } from './fixture/http-call.ts';
import { startApi, type RunningApi } from './fixture/start-api.ts';

describe('a drain', () => {
  let api: RunningApi;
  let release: () => void = () => undefined;
  let arrived: Promise<void>;
  beforeEach(async () => {
    api = await startApi({ grpc_api: { enabled: true } });
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    release = () => gate.resolve();
    arrived = entered.promise;
    api.node.apply = async () => {
      entered.resolve();
      await gate.promise;
    };
  });
  afterEach(async () => {
    release();
    await api.close();
  });

  const settled = async (work: Promise<unknown>): Promise<boolean> => {
    const pending = new Promise((resolve) => setImmediate(() => resolve('pending')));
    return (await Promise.race([work.then(() => 'done'), pending])) === 'done';
  };

  it('lets HTTP requests finish', async () => {
    const answer = post(api, '/api/disconnect', { user: 'u' });
    await arrived;
    const drained = api.api.drain();
    expect(await settled(drained)).toBe(false);
    release();
    expect(await answer).toMatchObject({ status: 200, text: '{"result":{}}' });
    await drained;
  });

  it('lets gRPC calls finish and takes no new ones', async () => {
    const answer = grpcCall(api.grpcAddress, 'disconnect', { user: 'u' }, {});
    await arrived;
    const drained = api.api.drain();
    expect(await settled(drained)).toBe(false);
    expect((await grpcCall(api.grpcAddress, 'info', {}, {})).status).toBe(status.UNAVAILABLE);
    release();
    expect((await answer).response).toMatchObject({ result: {} });
    await drained;
  });

  it('ends when its signal aborts, and closing ends what is left', async () => {
    const answer = post(api, '/api/disconnect', { user: 'u' });
    const failed = expect(answer).rejects.toThrow('fetch failed');
    await arrived;
    const abort = new AbortController();
    const drained = api.api.drain(abort.signal);
    expect(await settled(drained)).toBe(false);
    abort.abort();
    await drained;
    await api.api.close();
    await failed;
    release();
  });
});
