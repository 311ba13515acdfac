// Any string as one subject token and back. Names may hold spaces, `*`, `>`, `.`, control characters, lone surrogates.
import { createHash } from 'node:crypto';

const PLAIN = /^[A-Za-z0-9_-]+$/;
const ESCAPED = /[^A-Za-z0-9_-]/g;
const ESCAPE = /=(?:u([0-9a-f]{4})|([0-9a-f]{2}))/g;
const WELL_FORMED = /^(?:=|(?:[A-Za-z0-9_-]|=u[0-9a-f]{4}|=[0-9a-f]{2})+)$/;

/**
 * Leaves `[A-Za-z0-9_-]` as it is; every other UTF-16 unit becomes `=hh` (below 0x80) or `=uhhhh`. The empty string is `=`.
 * Per unit, not per UTF-8 byte: that stays reversible for any string, and no longer for most scripts.
 */
export function encodeToken(text: string): string {
  if (PLAIN.test(text)) return text;
  if (text === '') return '=';
  return text.replaceAll(ESCAPED, escapeUnit);
}

/**
 * Longest token that still shows the name, characters. Names that a client may subscribe to by default (255 bytes) never
 * take more than 765; a server ends a connection whose subjects do not fit into its control line (4,096).
 */
export const MAX_TOKEN_CHARS = 1_024;

/** As {@link encodeToken}; for a longer token `==` and a digest of the name, which cannot be decoded. */
export function boundedToken(text: string): string {
  const token = encodeToken(text);
  if (token.length <= MAX_TOKEN_CHARS) return token;
  return `==${createHash('sha256').update(token).digest('base64url')}`;
}

/** What {@link encodeToken} was given; undefined when it gives no such token. */
export function decodeToken(token: string): string | undefined {
  if (PLAIN.test(token)) return token;
  if (token === '=') return '';
  if (!WELL_FORMED.test(token)) return undefined;
  const text = token.replaceAll(ESCAPE, (_, wide: string | undefined, narrow: string | undefined) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow ?? '0', 16)),
  );
  return encodeToken(text) === token ? text : undefined;
}

/** 32-bit FNV-1a over UTF-16 units, finished so that low bits are fit for a modulus. Part of the wire: never change it. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mixBits(hash);
}

/** Spreads the bits of a 32-bit number over all of them (murmur3 finalizer); unsigned. */
export function mixBits(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function escapeUnit(unit: string): string {
  const code = unit.charCodeAt(0);
  return code < 0x80 ? `=${code.toString(16).padStart(2, '0')}` : `=u${code.toString(16).padStart(4, '0')}`;
}
