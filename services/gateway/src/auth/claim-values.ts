import { decodeBase64 } from '@carillon/protocol/wire';
import { TokenError, type TokenErrorCode } from './token-verifier.ts';

/** Reads of claims that the schema leaves raw. All throw `TokenError` 'invalid' for a wrong type. */

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?\d+$/;

/** A NumericDate, fractions allowed; undefined where absent or null. */
export function numericDate(raw: Uint8Array | undefined, claim: string): number | undefined {
  const value = rawValue(raw);
  if (value === undefined || value === null) return undefined;
  // compat: a string that holds a JSON number is that number; some libraries write dates so.
  const number = typeof value === 'string' && NUMBER.test(value) ? Number(value) : value;
  // JSON can say 1e999, which must not mean "never".
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw new TokenError('invalid', `${claim} is not a number`);
  }
  return number;
}

/** A whole number, written as one; undefined where absent or null. */
export function wholeNumber(raw: Uint8Array | undefined, claim: string): number | undefined {
  const value = rawValue(raw);
  if (raw === undefined || value === undefined || value === null) return undefined;
  // compat: neither 1.0 nor 1e9 is an integer.
  const isInteger = INTEGER.test(Buffer.from(raw).toString('latin1'));
  if (typeof value !== 'number' || !isInteger || !Number.isSafeInteger(value)) {
    throw new TokenError('invalid', `${claim} is not an integer`);
  }
  return value;
}

/** `aud`: one string or a list of strings. */
export function audiences(raw: Uint8Array | undefined): readonly string[] {
  const value = rawValue(raw);
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((entry) => {
    if (typeof entry !== 'string') throw new TokenError('invalid', 'aud is not a string or a list of strings');
    return entry;
  });
}

/** The bytes of a `b64…` claim, or the raw JSON of its twin; the base64 wins (tokens.md §4, §5). */
export function bytesClaim(
  base64: string | undefined,
  raw: Uint8Array | undefined,
  onBadBase64: TokenErrorCode,
): Uint8Array | undefined {
  if (base64 === undefined) return raw;
  const bytes = decodeBase64(base64);
  if (bytes === undefined) throw new TokenError(onBadBase64, 'a base64 claim can not be decoded');
  return bytes;
}

/**
 * Another top-level claim as the user id: strings as they are, anything else as JSON text; '' where absent. Integers keep
 * all their digits: rounded, two users would become one.
 */
export function userIdFrom(payload: Uint8Array, claim: string): string {
  const claims: unknown = JSON.parse(Buffer.from(payload).toString('utf8'), exactIntegers);
  if (typeof claims !== 'object' || claims === null) return '';
  const value: unknown = Object.getOwnPropertyDescriptor(claims, claim)?.value;
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function exactIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  const isRounded = typeof value === 'number' && !Number.isSafeInteger(value);
  return isRounded && source !== undefined && /^-?\d+$/.test(source) ? source : value;
}

function rawValue(raw: Uint8Array | undefined): unknown {
  return raw === undefined ? undefined : JSON.parse(Buffer.from(raw).toString('utf8'));
}
