import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';

import type { ProxyConfig } from '@carillon/config';
import { DEFAULT_PROXY, decisionsOf, NO_ORIGIN, type DecisionFixture } from '../fixture/decision-fixture.ts';
import {
  grpcAnswers,
  grpcFails,
  startGrpcFixture,
  type GrpcAnswer,
  type GrpcFixture,
} from '../fixture/grpc-fixture.ts';
import { MAX_REPLY_BYTES } from './backend.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

async function start(
  answer: GrpcAnswer,
  proxy: Partial<ProxyConfig> = {},
): Promise<{ backend: GrpcFixture; decisions: DecisionFixture }> {
  const backend = await startGrpcFixture(answer);
  const decisions = decisionsOf({ endpoint: `grpc://${backend.target}`, ...proxy });
  opened.push(decisions, backend);
  return { backend, decisions };
}

const MESSAGE = { client: 'c1', transport: 'websocket', protocol: 'json', user: '42' };
const ask = (message: object = {}) => ({
  message: { ...MESSAGE, ...message },
  proxyName: 'default',
  origin: NO_ORIGIN,
});

describe('a question over gRPC', () => {
  test.each(['grpc://', ''])('goes to a target written with the prefix %j', async (prefix) => {
    const backend = await startGrpcFixture(grpcAnswers({ result: { data: new Uint8Array([0, 1]) } }));
    const decisions = decisionsOf({ endpoint: prefix + backend.target });
    opened.push(decisions, backend);
    const decision = await decisions.rpc(ask({ method: 'm', data: new Uint8Array([0xff]) }));
    expect(decision).toMatchObject({ kind: 'result' });
    expect(decision.kind === 'result' && [...(decision.result?.data ?? [])]).toEqual([0, 1]);
    expect(backend.calls[0]).toMatchObject({ method: 'rpc', message: { ...MESSAGE, method: 'm', encoding: 'json' } });
  });

  test.each([
    ['connect', 'connect'],
    ['refresh', 'refresh'],
    ['subscribe', 'subscribe'],
    ['publish', 'publish'],
    ['subRefresh', 'subRefresh'],
    ['rpc', 'rpc'],
    ['mapPublish', 'mapPublish'],
    ['mapRemove', 'mapRemove'],
  ] as const)('of %s calls the method %s', async (kind, method) => {
    const { backend, decisions } = await start(grpcAnswers({}));
    expect(await decisions[kind](ask())).toEqual({ kind: 'result', result: undefined });
    expect(backend.calls.map((call) => call.method)).toEqual([method]);
  });

  test('carries base64 and no data with binary encoding', async () => {
    const { backend, decisions } = await start(grpcAnswers({}), { binaryEncoding: true });
    await decisions.rpc(ask({ data: new Uint8Array([0, 255, 1]) }));
    expect(backend.calls[0]?.message).toMatchObject({ encoding: 'binary', b64data: 'AP8B' });
    expect(backend.calls[0]?.message).not.toMatchObject({ data: expect.anything() });
  });

  test('carries headers, fixed metadata and credentials as metadata', async () => {
    const { backend, decisions } = await start(grpcAnswers({}), {
      httpHeaders: ['Cookie', 'X-Many', 'Connection'],
      grpc: {
        ...DEFAULT_PROXY.grpc,
        staticMetadata: { 'X-Static': 's' },
        credentialsKey: 'authorization',
        credentialsValue: 'secret',
      },
    });
    const headers = new Map([
      ['cookie', ['a=1']],
      ['x-many', ['1', '2']],
      ['connection', ['upgrade']],
      ['x-other', ['no']],
    ]);
    await decisions.rpc({ ...ask(), origin: { headers, emulatedHeaders: {} } });
    const metadata = backend.calls[0]?.metadata;
    expect(metadata?.get('cookie')).toEqual(['a=1']);
    expect(metadata?.get('x-many').join(', ')).toBe('1, 2');
    expect(metadata?.get('x-static')).toEqual(['s']);
    expect(metadata?.get('authorization')).toEqual(['secret']);
    expect(metadata?.get('x-other')).toEqual([]);
  });

  test('passes on the metadata of a unidirectional gRPC connection', async () => {
    const { backend, decisions } = await start(grpcAnswers({}), { grpcMetadata: ['x-a'] });
    const metadata = new Map([['x-a', ['1']]]);
    await decisions.rpc({ ...ask(), origin: { headers: new Map(), emulatedHeaders: {}, metadata } });
    expect(backend.calls[0]?.metadata.get('x-a')).toEqual(['1']);
  });

  test('with a header that metadata cannot hold fails alone', async () => {
    const { decisions } = await start(grpcAnswers({}), { emulatedHeaders: ['x-a'] });
    const origin = { headers: new Map(), emulatedHeaders: { 'x-a': 'é\n' } };
    expect(await decisions.rpc({ ...ask(), origin })).toMatchObject({ kind: 'failed' });
    expect(await decisions.rpc(ask())).toMatchObject({ kind: 'result' });
  });

  test.each([
    [true, 'gzip'],
    [false, undefined],
  ])('is compressed only if the proxy says so: %s', async (compression, encoding) => {
    // grpc-js hides the header from its servers.
    const server = createServer();
    const seen = new Promise<unknown>((resolve) => {
      server.on('stream', (stream, headers) => {
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' },
          { endStream: true },
        );
        resolve(headers['grpc-encoding']);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const decisions = decisionsOf({
      endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      grpc: { ...DEFAULT_PROXY.grpc, compression },
    });
    opened.push(decisions, server);
    expect(await decisions.rpc(ask())).toMatchObject({ kind: 'failed' });
    expect(await seen).toBe(encoding);
  });
});

test('a reply follows the order disconnect, error, result', async () => {
  const error = { code: 1000, message: 'custom', temporary: true };
  const { decisions } = await start(grpcAnswers({ result: {}, error }));
  expect(await decisions.subscribe(ask())).toEqual({ kind: 'error', ...error });
  const kicking = await start(grpcAnswers({ result: {}, error, disconnect: { code: 4500, reason: 'banned' } }));
  expect(await kicking.decisions.subscribe(ask())).toEqual({ kind: 'disconnect', code: 4500, reason: 'banned' });
});

describe('a failure over gRPC', () => {
  test.each([status.UNAVAILABLE, status.INTERNAL, status.UNIMPLEMENTED, status.NOT_FOUND])(
    'is status %d, whatever transforms say',
    async (code) => {
      const transform = {
        statusCode: 404,
        toError: { code: 404, message: 'x', temporary: false },
        toDisconnect: { code: 0, reason: '' },
      };
      const http = { ...DEFAULT_PROXY.http, statusToCodeTransforms: [transform] };
      const { decisions } = await start(grpcFails(code), { http });
      expect(await decisions.rpc(ask())).toMatchObject({ kind: 'failed' });
    },
  );

  test('is a backend that does not answer in time, and the backend hears of the deadline', async () => {
    const { backend, decisions } = await start(() => undefined, { timeoutMs: 80 });
    const startedAt = performance.now();
    expect(await decisions.rpc(ask())).toMatchObject({ kind: 'failed', reason: expect.stringMatching('timeout') });
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(backend.calls).toHaveLength(1);
  });

  test('is a reply that is too large', async () => {
    const { decisions } = await start(grpcAnswers({ result: { data: new Uint8Array(MAX_REPLY_BYTES + 1) } }));
    expect(await decisions.rpc(ask())).toMatchObject({ kind: 'failed' });
  });

  test('is a backend that is not there', async () => {
    const backend = await startGrpcFixture(grpcAnswers({}));
    backend.close();
    const decisions = decisionsOf({ endpoint: backend.target });
    opened.push(decisions);
    expect(await decisions.rpc(ask())).toMatchObject({ kind: 'failed', reason: expect.stringMatching('unreachable') });
  });
});
