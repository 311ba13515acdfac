import { createHmac, sign, type KeyObject } from 'node:crypto';

/** HMAC secret of every test configuration. */
export const SECRET = 'secret';

export type Claims = Readonly<Record<string, unknown>>;

export interface SigningOptions {
  /** Default: HS256. */
  readonly alg?: string | undefined;
  /** Of HS algorithms. Default: SECRET. */
  readonly secret?: string | undefined;
  /** Of all other algorithms. */
  readonly key?: KeyObject | undefined;
  readonly header?: Claims | undefined;
}

/** A JWT made by hand, so that it can be wrong in any way that a test wants. */
export function signToken(
  claims: Claims,
  { alg = 'HS256', secret = SECRET, key, header }: SigningOptions = {},
): string {
  const head = base64url(JSON.stringify({ alg, typ: 'JWT', ...header }));
  const signed = `${head}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${signature(signed, alg, key ?? secret).toString('base64url')}`;
}

/** Unix time in seconds, so far from now. */
export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

function signature(text: string, alg: string, key: KeyObject | string): Buffer {
  if (alg === 'none') return Buffer.alloc(0);
  if (typeof key === 'string')
    return createHmac(`sha${alg.slice(2)}`, key)
      .update(text)
      .digest();
  if (alg === 'EdDSA') return sign(null, Buffer.from(text), key);
  const dsaEncoding = alg.startsWith('ES') ? ({ dsaEncoding: 'ieee-p1363' } as const) : {};
  return sign(`sha${alg.slice(2)}`, Buffer.from(text), { key, ...dsaEncoding });
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
