import type { ServerOptions } from '@grpc/grpc-js';

/** What one connection may hold, and how long one that is silent or gone may stay. */
export interface ConnectionLimits {
  readonly maxConcurrentCalls: number;
  /** Without a call. */
  readonly idleMs: number;
  /** Pings of HTTP/2 find callers that vanished without a word. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Then the caller is asked to connect again, and what it left unread after `ageGraceMs` more is dropped. */
  readonly ageMs: number;
  readonly ageGraceMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  // Each may bring a request of the largest size; callers keep more of them back by themselves.
  maxConcurrentCalls: 256,
  idleMs: 300_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 10_000,
  // Long: answers that nobody reads are all that it bounds.
  ageMs: 3_600_000,
  ageGraceMs: 30_000,
};

export function connectionOptions(limits: ConnectionLimits): ServerOptions {
  return {
    'grpc.max_concurrent_streams': limits.maxConcurrentCalls,
    'grpc.max_connection_idle_ms': limits.idleMs,
    'grpc.keepalive_time_ms': limits.pingIntervalMs,
    'grpc.keepalive_timeout_ms': limits.pingTimeoutMs,
    'grpc.max_connection_age_ms': limits.ageMs,
    'grpc.max_connection_age_grace_ms': limits.ageGraceMs,
  };
}
