import { importJWK, type CryptoKey, type JWK } from 'jose';
import { TokenError } from './token-verifier.ts';

/** A usable key of a set. */
export interface SetKey {
  readonly kid: string;
  readonly jwk: JWK;
  /** Algorithms that a token may use with it. */
  readonly algorithms: readonly string[];
}

/** One answer may take so long, ms; two attempts are made (tokens.md §3.2). */
const ATTEMPT_TIMEOUT_MS = 1000;
const ATTEMPTS = 2;

/** Largest key set that is read, bytes. */
const MAX_SET_BYTES = 1_048_576;

const EC_CURVES: ReadonlyMap<string, string> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
]);

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Fetches and reads a key set. Rejects with `TokenError` 'invalid'; nothing of a set that failed is used. Only an answer
 * that did not come, or was none, is worth a second attempt.
 */
export async function fetchKeySet(url: string, fetcher: typeof fetch = fetch): Promise<readonly SetKey[]> {
  let failure: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    let text: string;
    try {
      text = await fetchText(url, fetcher);
    } catch (error) {
      failure = error;
      continue;
    }
    return readFetched(text);
  }
  throw new TokenError('invalid', 'the key set can not be had', failure);
}

function readFetched(text: string): readonly SetKey[] {
  try {
    return readKeySet(text);
  } catch (error) {
    throw error instanceof TokenError ? error : new TokenError('invalid', 'the key set is not JSON', error);
  }
}

async function fetchText(url: string, fetcher: typeof fetch): Promise<string> {
  const response = await fetcher(url, { signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS), redirect: 'follow' });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new TokenError('invalid', `the key set endpoint answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    // Leaving the loop cancels the body.
    if (length > MAX_SET_BYTES) throw new TokenError('invalid', 'the key set is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Keys for signatures of a JWK set. Any key that can't be read fails the whole set, as upstream (tokens.md §3.2). */
export function readKeySet(text: string): readonly SetKey[] {
  const set: unknown = JSON.parse(text);
  const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new TokenError('invalid', 'the key set has no keys');
  return keys.flatMap((key: unknown) => readKey(key));
}

function readKey(key: unknown): SetKey[] {
  if (typeof key !== 'object' || key === null) throw new TokenError('invalid', 'a key of the set is no object');
  const jwk: JWK = { ...key };
  const algorithms = algorithmsOf(jwk);
  if (jwk.use !== 'sig' || typeof jwk.kid !== 'string' || jwk.kid === '') return [];
  // A private key in a public set: whoever publishes it can be impersonated by everyone.
  if (jwk.d !== undefined) return [];
  return [{ kid: jwk.kid, jwk, algorithms }];
}

function algorithmsOf(jwk: JWK): readonly string[] {
  const possible = possibleAlgorithms(jwk);
  return jwk.alg === undefined ? possible : possible.filter((alg) => alg === jwk.alg);
}

function possibleAlgorithms(jwk: JWK): readonly string[] {
  switch (jwk.kty) {
    case 'RSA':
      if (!isNumber(jwk.n) || !isNumber(jwk.e)) throw new TokenError('invalid', 'malformed RSA key');
      return ['RS256', 'RS384', 'RS512'];
    case 'EC': {
      const alg = EC_CURVES.get(jwk.crv ?? '');
      if (alg === undefined || !isNumber(jwk.x) || !isNumber(jwk.y)) {
        throw new TokenError('invalid', 'malformed EC key');
      }
      return [alg];
    }
    case 'OKP':
      if (jwk.crv !== 'Ed25519' || !isNumber(jwk.x)) throw new TokenError('invalid', 'malformed OKP key');
      return ['EdDSA'];
    default:
      throw new TokenError('invalid', 'the set holds a key of an unknown type');
  }
}

/** Whether a member holds a number as keys write them. */
function isNumber(member: string | undefined): boolean {
  return typeof member === 'string' && BASE64URL.test(member);
}

/** The key for one algorithm. Rejects with `TokenError` where jose refuses it (too small, malformed). */
export async function importSetKey(key: SetKey, alg: string): Promise<CryptoKey> {
  try {
    const imported = await importJWK(key.jwk, alg);
    if (imported instanceof Uint8Array) throw new TokenError('invalid', 'the key is symmetric');
    return imported;
  } catch (cause) {
    if (cause instanceof TokenError) throw cause;
    throw new TokenError('invalid', 'the key can not be used', cause);
  }
}
