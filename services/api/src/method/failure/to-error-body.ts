import { BrokerError } from '@carillon/cluster';
import type { ErrorBody } from '@carillon/protocol/api';
import {
  API_INTERNAL_ERROR,
  API_NOT_AVAILABLE,
  API_UNRECOVERABLE_POSITION,
  ApiError,
  type ApiErrorCode,
} from '@carillon/protocol/codes';

/** Told of everything that is answered with error 100. */
export type ReportFailure = (error: unknown) => void;

/** What a failed method answers. Whatever is not a documented outcome is error 100, and reported. */
export function toErrorBody(error: unknown, reportFailure: ReportFailure): ErrorBody {
  if (error instanceof ApiError) return { code: error.code, message: error.message };
  const row = error instanceof BrokerError ? brokerRow(error) : API_INTERNAL_ERROR;
  if (row === API_INTERNAL_ERROR) reportFailure(error);
  return { code: row.code, message: row.message };
}

function brokerRow({ code }: BrokerError): ApiErrorCode {
  if (code === 'unrecoverable') return API_UNRECOVERABLE_POSITION;
  // compat: history in reverse since offset 0 is an internal error in this API (server-api §7.8).
  return code === 'unavailable' ? API_NOT_AVAILABLE : API_INTERNAL_ERROR;
}
