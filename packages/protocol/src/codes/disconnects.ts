// Codes a connection ends with (client-protocol.md §3.7). The code alone tells an SDK whether to reconnect.

/** A row of the table, or a disconnect a backend made up (4000–4999). */
export interface DisconnectCode {
  readonly code: number;
  readonly reason: string;
}

function row(code: number, reason: string): DisconnectCode {
  return Object.freeze({ code, reason });
}

/** The peer went away; never sent. */
export const DISCONNECT_CONNECTION_CLOSED: DisconnectCode = row(3000, 'connection closed');
export const DISCONNECT_SHUTDOWN: DisconnectCode = row(3001, 'shutdown');
export const DISCONNECT_SERVER_ERROR: DisconnectCode = row(3004, 'internal server error');
export const DISCONNECT_EXPIRED: DisconnectCode = row(3005, 'connection expired');
export const DISCONNECT_SUBSCRIPTION_EXPIRED: DisconnectCode = row(3006, 'subscription expired');
export const DISCONNECT_SLOW: DisconnectCode = row(3008, 'slow');
export const DISCONNECT_WRITE_ERROR: DisconnectCode = row(3009, 'write error');
export const DISCONNECT_INSUFFICIENT_STATE: DisconnectCode = row(3010, 'insufficient state');
export const DISCONNECT_FORCE_RECONNECT: DisconnectCode = row(3011, 'force reconnect');
export const DISCONNECT_NO_PONG: DisconnectCode = row(3012, 'no pong');
export const DISCONNECT_TOO_MANY_REQUESTS: DisconnectCode = row(3013, 'too many requests');
export const DISCONNECT_STATE_INVALIDATED: DisconnectCode = row(3014, 'state invalidated');
export const DISCONNECT_INVALID_TOKEN: DisconnectCode = row(3500, 'invalid token');
export const DISCONNECT_BAD_REQUEST: DisconnectCode = row(3501, 'bad request');
export const DISCONNECT_STALE: DisconnectCode = row(3502, 'stale');
export const DISCONNECT_FORCED: DisconnectCode = row(3503, 'force disconnect');
export const DISCONNECT_CONNECTION_LIMIT: DisconnectCode = row(3504, 'connection limit');
export const DISCONNECT_CHANNEL_LIMIT: DisconnectCode = row(3505, 'channel limit');
export const DISCONNECT_INAPPROPRIATE_PROTOCOL: DisconnectCode = row(3506, 'inappropriate protocol');
export const DISCONNECT_PERMISSION_DENIED: DisconnectCode = row(3507, 'permission denied');
export const DISCONNECT_NOT_AVAILABLE: DisconnectCode = row(3508, 'not available');
export const DISCONNECT_TOO_MANY_ERRORS: DisconnectCode = row(3509, 'too many errors');

/** Every disconnect of the server itself, in order of code. */
export const DISCONNECTS: readonly DisconnectCode[] = Object.freeze([
  DISCONNECT_CONNECTION_CLOSED,
  DISCONNECT_SHUTDOWN,
  DISCONNECT_SERVER_ERROR,
  DISCONNECT_EXPIRED,
  DISCONNECT_SUBSCRIPTION_EXPIRED,
  DISCONNECT_SLOW,
  DISCONNECT_WRITE_ERROR,
  DISCONNECT_INSUFFICIENT_STATE,
  DISCONNECT_FORCE_RECONNECT,
  DISCONNECT_NO_PONG,
  DISCONNECT_TOO_MANY_REQUESTS,
  DISCONNECT_STATE_INVALIDATED,
  DISCONNECT_INVALID_TOKEN,
  DISCONNECT_BAD_REQUEST,
  DISCONNECT_STALE,
  DISCONNECT_FORCED,
  DISCONNECT_CONNECTION_LIMIT,
  DISCONNECT_CHANNEL_LIMIT,
  DISCONNECT_INAPPROPRIATE_PROTOCOL,
  DISCONNECT_PERMISSION_DENIED,
  DISCONNECT_NOT_AVAILABLE,
  DISCONNECT_TOO_MANY_ERRORS,
]);

/** Longest reason, in bytes, that a WebSocket close frame carries. */
export const MAX_DISCONNECT_REASON_BYTES = 123;

/** Whether an SDK reconnects after this code (ranges of §3.7). 1009 is terminal although below 3000. */
export function isReconnectCode(code: number): boolean {
  if (code === 1009) return false;
  return !((code >= 3500 && code < 4000) || (code >= 4500 && code < 5000));
}

/** Thrown by handlers, or carried to whoever closes: ends the connection with this code. */
export class Disconnect extends Error {
  override readonly name = 'Disconnect';
  readonly code: number;
  readonly reason: string;

  constructor(row: DisconnectCode, options?: { cause?: unknown }) {
    super(row.reason, options);
    this.code = row.code;
    this.reason = row.reason;
  }
}
