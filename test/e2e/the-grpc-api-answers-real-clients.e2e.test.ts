import { apiErrorCodec, apiGrpcMethods } from '@carillon/protocol/api';
import { selfSignedCertificate } from '@carillon/dev-tools/test-certificate';
import { Client, credentials, Metadata, status, type ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DEPLOYMENTS } from '../harness/deployments.ts';
import type { Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { openOfficialClient } from '../harness/official-client.ts';

type Method = keyof typeof apiGrpcMethods;

interface Answer {
  readonly response: unknown;
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata | undefined;
}

const SERVICE = 'centrifugal.centrifugo.api.CentrifugoApi';
const KEY = { authorization: 'apikey k' };
const SMALL_CLUSTER = { gateways: 1, apis: 1, authPolicies: 0 };
const namespaces = { channel: { without_namespace: { allow_subscribe_for_client: true } } };
const DEADLINE_MS = 15_000;

// Rows 32 to 37 of the checklist of the server API, by the client that Node's programs use.
describe.each(DEPLOYMENTS)('the gRPC API of a $kind deployment', ({ kind, start }) => {
  let server: Deployment;
  let open: Deployment | undefined;
  let client: Client;

  beforeAll(async () => {
    const { cert, key } = selfSignedCertificate('api.test');
    const port = await freePort();
    const tls = { enabled: true, cert_pem: cert, key_pem: key };
    const grpcApi = { enabled: true, address: '127.0.0.1', port, key: 'k', reflection: true, tls };
    server = await start({ config: { ...namespaces, grpc_api: grpcApi }, ...SMALL_CLUSTER });
    client = clientOf(port, credentials.createSsl(Buffer.from(cert)));
  });
  afterAll(async () => {
    client?.close();
    await Promise.all([server?.stop(), open?.stop()]);
  });

  const call = (method: Method, request: object, headers: Record<string, string> = KEY): Promise<Answer> =>
    callBy(client, method, request, headers);

  it('32: refuses a call without a key', async () => {
    expect(await call('info', {}, {})).toMatchObject({ code: status.UNAUTHENTICATED, details: 'unauthenticated' });
  });

  it('33: takes the key as it is spelt, and no other way', async () => {
    expect(await call('info', {})).toMatchObject({ code: 0, response: { result: { nodes: [{}] } } });
    for (const authorization of ['Apikey k', 'apikey  k', 'apikey K', 'k']) {
      expect((await call('info', {}, { authorization })).code, authorization).toBe(status.UNAUTHENTICATED);
    }
  });

  it('35: answers an error of the API in the reply', async () => {
    const answer = await call('publish', { channel: 'nope:a', data: Buffer.from('1') });
    expect(answer).toMatchObject({ code: 0, response: { error: { code: 102, message: 'unknown channel' } } });
  });

  it('36: answers it by the status, with the error in its details, where that is asked for', async () => {
    const headers = { ...KEY, 'x-centrifugo-error-mode': 'transport' };
    const { code, details, metadata } = await call('publish', { channel: 'nope:a', data: Buffer.from('1') }, headers);
    expect([code, details]).toEqual([status.NOT_FOUND, 'unknown channel']);
    const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
    expect(errorIn(bytes)).toMatchObject({ code: 102, message: 'unknown channel' });
  });

  it('37: does not implement what the schema does not have', async () => {
    const path = `/${SERVICE}/DeviceRegister`;
    const answer = await unary(client, { path, serialize: empty, deserialize: asIs }, KEY);
    expect(answer.code).toBe(status.UNIMPLEMENTED);
  });

  it('publishes to a client, and reaches its session', async () => {
    const subscriber = openOfficialClient({ url: server.wsUrl(), token: server.token('u') });
    await subscriber.connect();
    const { publications } = await subscriber.subscribe('news');
    expect(await call('publish', { channel: 'news', data: Buffer.from('{"a":1}') })).toMatchObject({ code: 0 });
    await eventually(() => expect(publications).toEqual([{ a: 1 }]));
    expect(await call('disconnect', { user: 'u' })).toMatchObject({ code: 0, response: { result: {} } });
    await eventually(() => expect(subscriber.events.at(-1)).toBe('disconnected 3503'));
  });

  it('says that it is well', async () => {
    const path = '/grpc.health.v1.Health/Check';
    const answer = await unary(client, { path, serialize: empty, deserialize: asIs }, {});
    expect(answer.response).toEqual(Buffer.of(0x08, 1));
  });

  it('describes itself', async () => {
    const stream = client.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      asIs,
      asIs,
    );
    const answer = await new Promise<Buffer>((resolve, reject) => {
      stream.on('data', resolve);
      stream.on('error', reject);
      // list_services
      stream.write(Buffer.of(0x3a, 0));
    });
    expect(answer.toString('latin1')).toContain(SERVICE);
    stream.end();
  });

  it('34: asks for no key where none is configured', async () => {
    const port = await freePort();
    const grpcApi = { enabled: true, address: '127.0.0.1', port };
    open = await start({ config: { grpc_api: grpcApi }, ...SMALL_CLUSTER });
    const plain = clientOf(port, credentials.createInsecure());
    expect(await callBy(plain, 'info', {}, {}), kind).toMatchObject({ code: 0, response: { result: { nodes: [{}] } } });
    plain.close();
  }, 90_000);
});

function clientOf(port: number, channel: ChannelCredentials): Client {
  return new Client(`127.0.0.1:${port}`, channel, { 'grpc.ssl_target_name_override': 'api.test' });
}

interface Definition {
  readonly path: string;
  readonly serialize: (request: object) => Buffer;
  readonly deserialize: (bytes: Buffer) => unknown;
}

function callBy(client: Client, method: Method, request: object, headers: Record<string, string>): Promise<Answer> {
  const { path, requestSerialize, responseDeserialize } = apiGrpcMethods[method];
  const definition = { path, serialize: requestSerialize, deserialize: responseDeserialize };
  return unary(client, definition, headers, request);
}

function unary(
  client: Client,
  { path, serialize, deserialize }: Definition,
  headers: Record<string, string>,
  request: object = {},
): Promise<Answer> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const options = { deadline: Date.now() + DEADLINE_MS };
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, serialize, deserialize, request, metadata, options, (error, response) =>
      resolve(answerOf(error, response)),
    );
  });
}

function answerOf(error: ServiceError | null, response: unknown): Answer {
  if (error === null) return { response, code: 0, details: '', metadata: undefined };
  return { response: undefined, code: error.code, details: error.details, metadata: error.metadata };
}

/** The value of the one `Any` in a `google.rpc.Status`; found by its type URL. */
function errorIn(bytes: unknown): unknown {
  if (!Buffer.isBuffer(bytes)) return undefined;
  const typeUrl = 'type.googleapis.com/centrifugal.centrifugo.api.Error';
  const start = bytes.indexOf(typeUrl) + typeUrl.length;
  return apiErrorCodec.readProtobuf(bytes.subarray(start + 2, start + 2 + (bytes[start + 1] ?? 0)));
}

function empty(): Buffer {
  return Buffer.alloc(0);
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
