import { apiMethods, batchMethod, COMMERCIAL_METHODS, type BatchField } from '@carillon/protocol/api';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpcCall } from './fixture/grpc-call.ts';
import { post } from './fixture/http-call.ts';
import { startApi, type RunningApi } from './fixture/start-api.ts';

describe('the surface of the API', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi({ grpc_api: { enabled: true, key: 'k' } });
  });
  afterAll(() => api.close());

  const fields = Object.keys(apiMethods) as BatchField[];

  it.each(fields)('has %s in HTTP, in gRPC, in batches and by its legacy name and number', async (field) => {
    const { name, legacyNumber, batchField } = apiMethods[field];
    const http = await post(api, `/api/${name}`, {});
    expect([http.status, http.contentType]).toEqual([200, 'application/json']);
    const [outcome] = Object.keys(JSON.parse(http.text) as object);

    const grpc = await grpcCall(api.grpcAddress, batchField, {});
    expect(grpc.status).toBe(status.OK);
    expect(Object.entries(grpc.response ?? {}).find(([, value]) => value !== undefined)?.[0]).toBe(outcome);

    const key = name; // snake_case on the wire, as in routes
    const batch = await post(api, '/api/batch', { commands: [{ [key]: {} }] });
    expect(batch.text).not.toContain('"code":104');
    expect(Object.keys((JSON.parse(batch.text) as { replies: object[] }).replies[0] ?? {})).toEqual([
      outcome === 'error' ? 'error' : key,
    ]);

    for (const method of [name, legacyNumber]) {
      expect((await post(api, '/api', { method, params: {} })).text).toBe(http.text);
    }
  });

  it('has batch in HTTP and gRPC', async () => {
    expect((await post(api, `/api/${batchMethod.name}`, {})).text).toBe('{}');
    expect((await grpcCall(api.grpcAddress, 'batch', {})).status).toBe(status.OK);
  });

  it('knows no commercial methods where they are turned off, like the open edition', async () => {
    const open = await startApi({
      http_api: { key: 'k', commercial_methods: false },
      grpc_api: { enabled: true, key: 'k' },
    });
    try {
      const known = Object.keys(apiMethods).filter((field) => !COMMERCIAL_METHODS.has(field as BatchField));
      expect(known).toHaveLength(fields.length - 8);
      for (const field of COMMERCIAL_METHODS) {
        const { name, grpcName, legacyNumber, batchField } = apiMethods[field];
        expect((await post(open, `/api/${name}`, {})).status).toBe(404);
        expect(await grpcCall(open.grpcAddress, batchField, {})).toMatchObject({
          status: status.UNIMPLEMENTED,
          details: `method ${grpcName} not implemented`,
        });
        expect((await post(open, '/api/batch', { commands: [{ [name]: {} }] })).text).toBe(
          '{"replies":[{"error":{"code":104,"message":"not found"}}]}',
        );
        for (const method of [name, legacyNumber]) {
          expect((await post(open, '/api', { method, params: {} })).text).toBe(
            '{"error":{"code":104,"message":"not found"}}',
          );
        }
      }
      expect((await post(open, '/api/info', {})).status).toBe(200);
    } finally {
      await open.close();
    }
  });

  it('measures methods and counts their errors by protocol', async () => {
    await post(api, '/api/publish', { channel: 'x:y', data: 1 });
    await grpcCall(api.grpcAddress, 'publish', { channel: 'x:y' });
    const text = await (await fetch(`${api.url}/metrics`)).text();
    expect(text).toMatch(/carillon_api_command_errors_total\{protocol="http",method="publish",error="102"\} 1\n/);
    expect(text).toMatch(/carillon_api_command_errors_total\{protocol="grpc",method="publish",error="102"\} 1\n/);
    expect(text).toMatch(/carillon_api_command_duration_seconds_count\{protocol="grpc",method="rpc"\} 1\n/);
    expect(text).toMatch(/carillon_api_command_duration_seconds_histogram_count\{.*method="rpc".*\} \d/);
  });
});
