// Errors a client gets in a reply (client-protocol.md §3.6). The connection stays open.

/** A row of the table, or an error a backend made up (400–1999). */
export interface ClientErrorCode {
  readonly code: number;
  readonly message: string;
  /** The client may retry as it is. */
  readonly temporary: boolean;
}

function row(code: number, message: string, temporary = false): ClientErrorCode {
  return Object.freeze({ code, message, temporary });
}

export const INTERNAL_ERROR: ClientErrorCode = row(100, 'internal server error', true);
export const UNAUTHORIZED: ClientErrorCode = row(101, 'unauthorized');
export const UNKNOWN_CHANNEL: ClientErrorCode = row(102, 'unknown channel');
export const PERMISSION_DENIED: ClientErrorCode = row(103, 'permission denied');
export const METHOD_NOT_FOUND: ClientErrorCode = row(104, 'method not found');
export const ALREADY_SUBSCRIBED: ClientErrorCode = row(105, 'already subscribed');
export const LIMIT_EXCEEDED: ClientErrorCode = row(106, 'limit exceeded');
export const BAD_REQUEST: ClientErrorCode = row(107, 'bad request');
export const NOT_AVAILABLE: ClientErrorCode = row(108, 'not available');
export const TOKEN_EXPIRED: ClientErrorCode = row(109, 'token expired');
export const EXPIRED: ClientErrorCode = row(110, 'expired');
export const TOO_MANY_REQUESTS: ClientErrorCode = row(111, 'too many requests', true);
export const UNRECOVERABLE_POSITION: ClientErrorCode = row(112, 'unrecoverable position');
export const CONCURRENT_PAGINATION: ClientErrorCode = row(113, 'concurrent pagination', true);

/** Every client error, in order of code. */
export const CLIENT_ERRORS: readonly ClientErrorCode[] = Object.freeze([
  INTERNAL_ERROR,
  UNAUTHORIZED,
  UNKNOWN_CHANNEL,
  PERMISSION_DENIED,
  METHOD_NOT_FOUND,
  ALREADY_SUBSCRIBED,
  LIMIT_EXCEEDED,
  BAD_REQUEST,
  NOT_AVAILABLE,
  TOKEN_EXPIRED,
  EXPIRED,
  TOO_MANY_REQUESTS,
  UNRECOVERABLE_POSITION,
  CONCURRENT_PAGINATION,
]);

/** Thrown by command handlers; one place turns it into a reply with `error`. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: number;
  readonly temporary: boolean;

  constructor(row: ClientErrorCode, options?: { cause?: unknown }) {
    super(row.message, options);
    this.code = row.code;
    this.temporary = row.temporary;
  }
}
