import type { CryptoKey } from 'jose';
import { SingleFlight, type Clock, type Log } from '@carillon/service-kit';
import { createFetchAllowance } from './fetch-allowance.ts';
import { createEndpointResolver } from './jwks-endpoint.ts';
import { fetchKeySet, importSetKey, type SetKey } from './jwks-fetch.ts';
import type { KeySource } from './key-source.ts';
import { TokenError } from './token-verifier.ts';

/** How long a key stays after its last use, ms (tokens.md §3.2). */
const KEY_TTL_MS = 3_600_000;

/** Keys kept over all endpoints; beyond it the one that was used longest ago goes. */
const MAX_KEYS = 1024;

interface CachedKey {
  readonly key: SetKey;
  readonly imported: Map<string, CryptoKey>;
  usedAt: number;
}

export interface JwksKeysDeps {
  readonly endpoint: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetchSet?: ((url: string) => Promise<readonly SetKey[]>) | undefined;
}

/** Keys of a JWKS endpoint: cached by resolved URL and key id, one fetch at a time for each URL. */
export function createJwksKeys({ endpoint, clock, log, fetchSet = fetchKeySet }: JwksKeysDeps): KeySource {
  const resolve = createEndpointResolver(endpoint);
  const cache = new Map<string, CachedKey>();
  const allowance = createFetchAllowance(clock);
  const flights = new SingleFlight<string, void>();

  function find(url: string, kid: string): CachedKey | undefined {
    const id = cacheKey(url, kid);
    const cached = cache.get(id);
    if (cached === undefined) return undefined;
    cache.delete(id);
    const now = clock.monotonic();
    if (now - cached.usedAt > KEY_TTL_MS) return undefined;
    cached.usedAt = now;
    // Back in at the end: the map is in order of use.
    cache.set(id, cached);
    return cached;
  }

  /** One fetch for all who wait for it, and what follows from its outcome, once. */
  async function refresh(url: string): Promise<void> {
    try {
      for (const key of await fetchSet(url)) {
        const value = { key, imported: new Map<string, CryptoKey>(), usedAt: clock.monotonic() };
        remember(cache, cacheKey(url, key.kid), value);
      }
      allowance.succeeded(url);
    } catch (error) {
      allowance.failed(url);
      log.warn('key set fetch failed', { error });
      throw error;
    }
  }

  async function fetchFor(url: string, kid: string): Promise<CachedKey> {
    if (!allowance.mayFetch(url)) {
      throw new TokenError('invalid', 'the key id is unknown, or its endpoint failed a moment ago');
    }
    await flights.run(url, () => refresh(url));
    const found = find(url, kid);
    if (found === undefined) {
      allowance.missed(url);
      throw new TokenError('invalid', 'the key id is unknown');
    }
    return found;
  }

  return {
    async keysFor({ alg, kid }, groups) {
      if (kid === undefined) throw new TokenError('invalid', 'the token names no key id');
      const url = resolve(groups);
      const cached = find(url, kid) ?? (await fetchFor(url, kid));
      if (!cached.key.algorithms.includes(alg)) return [];
      let imported = cached.imported.get(alg);
      if (imported === undefined) cached.imported.set(alg, (imported = await importSetKey(cached.key, alg)));
      return [imported];
    },
  };
}

function cacheKey(url: string, kid: string): string {
  return `${url}\n${kid}`;
}

function remember(cache: Map<string, CachedKey>, id: string, key: CachedKey): void {
  cache.delete(id);
  cache.set(id, key);
  const oldest = cache.size > MAX_KEYS ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
}
