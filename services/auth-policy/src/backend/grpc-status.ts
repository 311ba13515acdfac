import { status, type ServiceError } from '@grpc/grpc-js';

import { backendFailure } from './backend-failure.ts';
import type { BackendFailureCode } from './backend.ts';

const TRANSPORT_STATUS: ReadonlyMap<status, BackendFailureCode> = new Map<status, BackendFailureCode>([
  [status.UNAVAILABLE, 'proxy_unreachable'],
  [status.DEADLINE_EXCEEDED, 'proxy_timeout'],
  [status.CANCELLED, 'proxy_timeout'],
]);

/** The failure that a status other than OK is. */
export function statusFailure(error: ServiceError): Error {
  const code = TRANSPORT_STATUS.get(error.code) ?? 'proxy_grpc_status';
  return backendFailure(code, `status ${status[error.code]}: ${error.details}`, error);
}
