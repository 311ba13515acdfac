// Errors of the server API (server-api.md §3), with what they become in transport error mode.

/** A row of the table; the statuses are used only in transport error mode. */
export interface ApiErrorCode {
  readonly code: number;
  readonly message: string;
  readonly httpStatus: number;
  /** gRPC status code as a number. */
  readonly grpcStatus: number;
}

function row(code: number, message: string, httpStatus: number, grpcStatus: number): ApiErrorCode {
  return Object.freeze({ code, message, httpStatus, grpcStatus });
}

export const API_INTERNAL_ERROR: ApiErrorCode = row(100, 'internal server error', 500, 13);
export const API_UNKNOWN_CHANNEL: ApiErrorCode = row(102, 'unknown channel', 404, 5);
export const API_NOT_FOUND: ApiErrorCode = row(104, 'not found', 404, 5);
export const API_BAD_REQUEST: ApiErrorCode = row(107, 'bad request', 400, 3);
export const API_NOT_AVAILABLE: ApiErrorCode = row(108, 'not available', 400, 3);
export const API_UNRECOVERABLE_POSITION: ApiErrorCode = row(112, 'unrecoverable position', 416, 11);
export const API_CONFLICT: ApiErrorCode = row(113, 'conflict', 409, 6);

/** Every API error, in order of code. */
export const API_ERRORS: readonly ApiErrorCode[] = Object.freeze([
  API_INTERNAL_ERROR,
  API_UNKNOWN_CHANNEL,
  API_NOT_FOUND,
  API_BAD_REQUEST,
  API_NOT_AVAILABLE,
  API_UNRECOVERABLE_POSITION,
  API_CONFLICT,
]);

/** Thrown by API methods; the transport turns it into an `error` member or, in transport error mode, a status. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  readonly httpStatus: number;
  readonly grpcStatus: number;

  constructor(row: ApiErrorCode, options?: { cause?: unknown }) {
    super(row.message, options);
    this.code = row.code;
    this.httpStatus = row.httpStatus;
    this.grpcStatus = row.grpcStatus;
  }
}
