import { apiGrpcMethods } from '@carillon/protocol/api';
import { status, type handleUnaryCall, type ServiceDefinition } from '@grpc/grpc-js';

/** Methods of the commercial edition that no schema of ours has. */
const PUSH_NOTIFICATION_METHODS = [
  'DeviceRegister',
  'DeviceUpdate',
  'DeviceRemove',
  'DeviceList',
  'DeviceTopicList',
  'DeviceTopicUpdate',
  'UserTopicList',
  'UserTopicUpdate',
  'SendPushNotification',
  'UpdatePushStatus',
  'CancelPush',
];

const asIs = (bytes: Buffer): Buffer => bytes;
const [, SERVICE = ''] = apiGrpcMethods.batch.path.split('/');

/** Every method of the service as the public schema has it; what it asks of absent ones is not looked at. */
export const API_SERVICE: ServiceDefinition = {
  ...apiGrpcMethods,
  ...Object.fromEntries(
    PUSH_NOTIFICATION_METHODS.map((name) => [
      name,
      {
        path: `/${SERVICE}/${name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    ]),
  ),
};

/** compat: the words of the reference, which has these methods in its schema and asks for the key first. */
export function absentMethod(path: string): handleUnaryCall<object, object> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const answer = { code: status.UNIMPLEMENTED, details: `method ${name} not implemented` };
  return (_call, reply) => reply(answer);
}
