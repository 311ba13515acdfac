import { readTokenClaims, type TokenClaims, type TokenKind } from '@carillon/protocol/token';
import { ProtocolViolation } from '@carillon/protocol/codes';
import type { TokenHeader } from './key-source.ts';
import { TokenError } from './token-verifier.ts';

/** A token taken apart, nothing of it verified. */
export interface TokenParts {
  readonly header: TokenHeader;
  readonly claims: TokenClaims;
  /** JSON text of the claims. */
  readonly payload: Uint8Array;
}

/** Longest token that is looked at, bytes: a message is limited to 64 KiB anyway, other entrances need a bound too. */
export const MAX_TOKEN_BYTES = 65_536;

const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** Steps 1 and 2 of tokens.md §2: three base64url parts without padding, a JSON header, claims of the right types. */
export function parseToken(token: string, kind: TokenKind): TokenParts {
  if (token.length > MAX_TOKEN_BYTES) throw new TokenError('invalid', 'the token is too long');
  if (!token.startsWith('eyJ')) throw new TokenError('invalid', 'the token is not a JWT');
  const parts = token.split('.');
  const [header = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3 || ![header, payload, signature].every((part) => BASE64URL.test(part))) {
    throw new TokenError('invalid', 'the token is not three base64url parts');
  }
  const bytes = Buffer.from(payload, 'base64url');
  return { header: parseHeader(header), claims: parseClaims(bytes, kind), payload: bytes };
}

function parseHeader(part: string): TokenHeader {
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch (cause) {
    throw new TokenError('invalid', 'the header is not JSON', cause);
  }
  if (typeof header !== 'object' || header === null) throw new TokenError('invalid', 'the header is no object');
  const { alg, kid, crit }: { alg?: unknown; kid?: unknown; crit?: unknown } = header;
  if (crit !== undefined) throw new TokenError('invalid', 'the header holds extensions that must be understood');
  if (typeof alg !== 'string') throw new TokenError('invalid', 'the header names no algorithm');
  if (kid === undefined || kid === null || kid === '') return { alg, kid: undefined };
  if (typeof kid !== 'string') throw new TokenError('invalid', 'the key id of the header is no string');
  return { alg, kid };
}

function parseClaims(payload: Uint8Array, kind: TokenKind): TokenClaims {
  try {
    return readTokenClaims(payload, kind);
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    // compat: what looks like capabilities and is none is a claim of the application's own.
    return parseWithoutGrants(payload, kind);
  }
}

function parseWithoutGrants(payload: Uint8Array, kind: TokenKind): TokenClaims {
  try {
    return readTokenClaims(payload, kind, false);
  } catch (error) {
    if (error instanceof ProtocolViolation) throw new TokenError('invalid', `the claims: ${error.message}`, error);
    throw error;
  }
}
