import type { Clock } from '@carillon/service-kit';

/**
 * Fetches of one endpoint in a row that may turn out not to have the key they were made for; then one more each second.
 * Keys that were added or changed a moment ago are found at once, forged ids do not hammer the endpoint.
 */
export const MAX_USELESS_FETCHES = 5;

const REGAIN_MS = 1000;

/** After a failed fetch; doubled by each further failure up to a second. */
const FIRST_FAILURE_PAUSE_MS = 20;
const MAX_FAILURE_PAUSE_MS = 1000;

/** Endpoints that are remembered; beyond it the one that was fetched longest ago is forgotten. */
const MAX_ENDPOINTS = 256;

/** When a key set may be fetched (tokens.md §3.2). */
export interface FetchAllowance {
  mayFetch(url: string): boolean;
  succeeded(url: string): void;
  failed(url: string): void;
  /** The set that was fetched last does not have a key that somebody asked for. Counts once for each fetch. */
  missed(url: string): void;
}

interface Endpoint {
  failures: number;
  /** Monotonic ms. */
  pausedUntil: number;
  /** Useless fetches at `countedAt`, less one for each second since. */
  useless: number;
  countedAt: number;
  isLastCounted: boolean;
}

export function createFetchAllowance(clock: Clock): FetchAllowance {
  const endpoints = new Map<string, Endpoint>();

  function endpoint(url: string): Endpoint {
    const now = clock.monotonic();
    const known = endpoints.get(url) ?? {
      failures: 0,
      pausedUntil: 0,
      useless: 0,
      countedAt: now,
      isLastCounted: true,
    };
    endpoints.delete(url);
    endpoints.set(url, known);
    const oldest = endpoints.size > MAX_ENDPOINTS ? endpoints.keys().next().value : undefined;
    if (oldest !== undefined) endpoints.delete(oldest);
    known.useless = Math.max(0, known.useless - (now - known.countedAt) / REGAIN_MS);
    known.countedAt = now;
    return known;
  }

  return {
    mayFetch(url) {
      if (!endpoints.has(url)) return true;
      const { pausedUntil, useless } = endpoint(url);
      return clock.monotonic() >= pausedUntil && useless <= MAX_USELESS_FETCHES - 1;
    },
    succeeded(url) {
      const state = endpoint(url);
      state.failures = 0;
      state.isLastCounted = false;
    },
    failed(url) {
      const state = endpoint(url);
      const pauseMs = Math.min(MAX_FAILURE_PAUSE_MS, FIRST_FAILURE_PAUSE_MS * 2 ** state.failures);
      state.pausedUntil = clock.monotonic() + pauseMs;
      state.failures += 1;
    },
    missed(url) {
      const state = endpoint(url);
      if (state.isLastCounted) return;
      state.isLastCounted = true;
      state.useless += 1;
    },
  };
}
