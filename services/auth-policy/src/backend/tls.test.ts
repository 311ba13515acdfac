import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { ServerCredentials } from '@grpc/grpc-js';
import type { TlsConfig } from '@carillon/config';
import { afterEach, describe, expect, test } from 'vitest';

import { DEFAULT_PROXY, decisionsOf, NO_ORIGIN } from '../fixture/decision-fixture.ts';
import { grpcAnswers, startGrpcFixture } from '../fixture/grpc-fixture.ts';
import { TEST_CERT_PEM, TEST_KEY_PEM } from '../fixture/tls-fixture.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

async function startHttps(asksForCertificate: boolean): Promise<string> {
  const server = createServer(
    { cert: TEST_CERT_PEM, key: TEST_KEY_PEM, ca: TEST_CERT_PEM, requestCert: asksForCertificate },
    (_request, response) => void response.end('{"result":{}}'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({ close: () => server.closeAllConnections() }, server);
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function startGrpcs(asksForCertificate: boolean): Promise<string> {
  const pair = { private_key: Buffer.from(TEST_KEY_PEM), cert_chain: Buffer.from(TEST_CERT_PEM) };
  const credentials = ServerCredentials.createSsl(Buffer.from(TEST_CERT_PEM), [pair], asksForCertificate);
  const backend = await startGrpcFixture(grpcAnswers({ result: {} }), credentials);
  opened.push(backend);
  return backend.target;
}

const ca: Partial<TlsConfig> = { enabled: true, serverCaPem: TEST_CERT_PEM, serverName: 'backend.test' };

describe.each([
  ['HTTP', startHttps],
  ['gRPC', startGrpcs],
])('TLS over %s', (_protocol, startBackend) => {
  async function ask(tls: Partial<TlsConfig>, asksForCertificate = false): Promise<string> {
    const endpoint = await startBackend(asksForCertificate);
    const complete = { ...DEFAULT_PROXY.http.tls, ...tls };
    const decisions = decisionsOf({
      endpoint,
      timeoutMs: 2_000,
      http: { ...DEFAULT_PROXY.http, tls: complete },
      grpc: { ...DEFAULT_PROXY.grpc, tls: complete },
    });
    opened.unshift(decisions);
    return (await decisions.rpc({ message: {}, proxyName: 'default', origin: NO_ORIGIN })).kind;
  }

  test.each<[string, Partial<TlsConfig>, string]>([
    ['the right CA and name', ca, 'result'],
    ['no CA', { enabled: true, serverName: 'backend.test' }, 'failed'],
    ['another name', { ...ca, serverName: 'other.test' }, 'failed'],
    ['no verification', { enabled: true, insecureSkipVerify: true }, 'result'],
    ['TLS off', {}, 'failed'],
  ])('with %s: %s', async (_title, tls, kind) => {
    expect(await ask(tls)).toBe(kind);
  });

  test('shows its own certificate when it has one', async () => {
    expect(await ask({ ...ca, certPem: TEST_CERT_PEM, keyPem: TEST_KEY_PEM }, true)).toBe('result');
    expect(await ask(ca, true)).toBe('failed');
  });
});
