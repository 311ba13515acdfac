import { subjectAt } from '@carillon/dev-tools/test-certificate';
import { apiGrpcMethods } from '@carillon/protocol/api';
import { Client, credentials } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { freshCertificate } from '../fixture/fresh-certificate.ts';
import { configOf, startApi } from '../fixture/start-api.ts';
import { TEST_CERT_PEM, TEST_KEY_PEM } from '../fixture/tls-fixture.ts';

it('the gRPC API serves TLS', async () => {
  const tls = { enabled: true, cert_pem: TEST_CERT_PEM, key_pem: TEST_KEY_PEM };
  const api = await startApi({ grpc_api: { enabled: true, tls } });
  const client = new Client(api.grpcAddress, credentials.createSsl(Buffer.from(TEST_CERT_PEM)), {
    'grpc.ssl_target_name_override': 'api.test',
  });
  const { path, requestSerialize, responseDeserialize } = apiGrpcMethods.info;
  const response = await new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, value) =>
      error === null ? resolve(value) : reject(error),
    );
  });
  expect(response).toMatchObject({ result: { nodes: [{ uid: 'node-id' }] } });
  client.close();
  await api.close();
});

it('the gRPC API gives new connections a new certificate, and keeps the old ones', async () => {
  const one = freshCertificate('one');
  const file = (pems: object): object => ({ grpc_api: { enabled: true, tls: { enabled: true, ...pems } } });
  const api = await startApi(file(one));
  const port = Number(api.grpcAddress.split(':')[1]);
  const client = new Client(api.grpcAddress, credentials.createSsl(Buffer.from(one.cert_pem)), {
    'grpc.ssl_target_name_override': 'one',
  });
  const { path, requestSerialize, responseDeserialize } = apiGrpcMethods.info;
  const info = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, value) =>
        error === null ? resolve(value) : reject(error),
      );
    });
  await info();
  await api.api.useCertificates(configOf(file(freshCertificate('two'))));
  expect(await subjectAt(port, ['h2'])).toBe('two');
  // A connection of its own would fail: it trusts the old certificate alone.
  expect(await info()).toMatchObject({ result: {} });
  const bad = file({ cert_pem: one.cert_pem, key_pem: TEST_KEY_PEM });
  await expect(api.api.useCertificates(configOf(bad))).rejects.toMatchObject({ code: 'api_tls' });
  expect(await subjectAt(port, ['h2'])).toBe('two');
  client.close();
  await api.close();
});
