import type { SubscribeResult } from '@carillon/protocol/client';
import type { OpenedState } from '../../fanout/hub-port.ts';

/** Longest ttl that connect, refresh and sub_refresh report, seconds (client-protocol Appendix D); subscribe does not. */
export const MAX_TTL_S = 31_536_000;

/** The stream's part of a SubscribeResult, for client-side and server-side subscriptions alike (§2.7). */
export function streamResult(opened: OpenedState): SubscribeResult {
  return {
    recoverable: opened.recoverable,
    positioned: opened.positioned,
    epoch: opened.epoch,
    offset: opened.offset,
    publications: opened.publications,
    wasRecovering: opened.wasRecovering,
    recovered: opened.recovered,
    delta: opened.delta,
  };
}

/** Seconds until `expireAt` (Unix seconds), at least 0, at most `max`. */
export function ttlOf(expireAt: number, nowMs: number, max: number = Number.MAX_SAFE_INTEGER): number {
  return Math.max(0, Math.min(max, expireAt - Math.floor(nowMs / 1000)));
}
