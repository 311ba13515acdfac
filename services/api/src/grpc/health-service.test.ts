import { Client, credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type RunningApi } from '../fixture/start-api.ts';
import { bytesField } from './protobuf-field.ts';

const SERVICE = 'centrifugal.centrifugo.api.CentrifugoApi';
const SERVING = [8, 1];
const NOT_SERVING = [8, 2];
const asIs = (bytes: Buffer): Buffer => bytes;

describe('health over gRPC', () => {
  let api: RunningApi;
  let client: Client;
  beforeAll(async () => {
    api = await startApi({ grpc_api: { enabled: true, key: 'k' } });
    client = new Client(api.grpcAddress, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    await api.close();
  });

  const check = (request: Buffer): Promise<number[] | number> =>
    new Promise((resolve) => {
      client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs, request, (error, answer) =>
        resolve(error === null ? [...(answer ?? [])] : error.code),
      );
    });

  it('is told of the server and of the API, without a key', async () => {
    expect(await check(Buffer.alloc(0))).toEqual(SERVING);
    expect(await check(bytesField(1, Buffer.from(SERVICE)))).toEqual(SERVING);
  });

  it('is not found for other services, and malformed questions end the call', async () => {
    expect(await check(bytesField(1, Buffer.from('other')))).toBe(status.NOT_FOUND);
    expect(await check(Buffer.from([255, 255, 255]))).toBe(status.INTERNAL);
  });

  it('is watched, and a drain tells the watchers and does not wait for them', async () => {
    const other = await startApi({ grpc_api: { enabled: true } });
    const watcher = new Client(other.grpcAddress, credentials.createInsecure());
    const told: number[][] = [];
    const call = watcher.makeServerStreamRequest('/grpc.health.v1.Health/Watch', asIs, asIs, Buffer.alloc(0));
    const ended = new Promise<void>((resolve) => call.on('end', () => resolve()));
    const first = new Promise<void>((resolve) => call.once('data', () => resolve()));
    call.on('data', (bytes: Buffer) => told.push([...bytes]));
    call.on('error', () => undefined);
    await first;
    await other.api.drain();
    await ended;
    expect(told).toEqual([SERVING, NOT_SERVING]);
    watcher.close();
    await other.close();
  });
});
