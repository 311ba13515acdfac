import { InvalidPayload } from '@carillon/protocol/wire';
import { OperationalError } from '@carillon/service-kit';

import type { BackendFailureCode } from './backend.ts';

/** An expected failure of one exchange. */
export function backendFailure(code: BackendFailureCode, message: string, cause?: unknown): OperationalError {
  return new OperationalError(code, message, { cause });
}

/** Whether the endpoint itself seems to be away: what the circuit breaker counts. */
export function isTransportFailure(error: unknown): boolean {
  return error instanceof OperationalError && (error.code === 'proxy_unreachable' || error.code === 'proxy_timeout');
}

/** Whether nobody wanted the answer any more. */
export function isAbandoned(error: unknown): boolean {
  return error instanceof OperationalError && error.code === 'proxy_abandoned';
}

/** What an encoder threw, as a failure of this question alone. Anything unexpected is passed on as it is. */
export function encodeFailure(error: unknown): unknown {
  if (error instanceof InvalidPayload || error instanceof RangeError) {
    return backendFailure('proxy_unencodable', `the question cannot be encoded: ${error.message}`, error);
  }
  return error;
}
