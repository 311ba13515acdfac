import { apiGrpcMethods } from '@carillon/protocol/api';
import { Client, credentials } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { startApi } from '../fixture/start-api.ts';
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
