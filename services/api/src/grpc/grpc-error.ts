import { apiErrorCodec, type ErrorBody } from '@carillon/protocol/api';
import { API_ERRORS } from '@carillon/protocol/codes';
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { bytesField } from './protobuf-field.ts';

const DETAILS_KEY = 'grpc-status-details-bin';
const ERROR_TYPE_URL = 'type.googleapis.com/centrifugal.centrifugo.api.Error';

/** The protocol package knows the statuses by number alone. */
const STATUSES: ReadonlyMap<number, status> = new Map(
  [status.INTERNAL, status.NOT_FOUND, status.INVALID_ARGUMENT, status.OUT_OF_RANGE, status.ALREADY_EXISTS].map(
    (value) => [value, value],
  ),
);

const STATUS_BY_CODE: ReadonlyMap<number, status> = new Map(
  API_ERRORS.map(({ code, grpcStatus }) => [code, STATUSES.get(grpcStatus) ?? status.INTERNAL]),
);

/** An API error as a gRPC status with the error as its detail (server-api §4, transport error mode). */
export function statusOfError(error: ErrorBody): Partial<StatusObject> {
  const { message = '' } = error;
  const code = STATUS_BY_CODE.get(error.code ?? 0) ?? status.INTERNAL;
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, encodeStatus(code, message, apiErrorCodec.writeProtobuf(error)));
  return { code, details: message, metadata };
}

/** `google.rpc.Status`, which no schema of ours has: code 1, message 2, details 3 (an Any: type URL 1, value 2). */
function encodeStatus(code: status, message: string, detail: Uint8Array): Buffer {
  const any = Buffer.concat([bytesField(1, Buffer.from(ERROR_TYPE_URL)), bytesField(2, detail)]);
  return Buffer.concat([Buffer.from([1 << 3, code]), bytesField(2, Buffer.from(message)), bytesField(3, any)]);
}
