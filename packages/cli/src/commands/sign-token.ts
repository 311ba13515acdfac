import { formatGoDuration, type TokenConfig } from '@carillon/config';
import { type JWTPayload, SignJWT } from 'jose';

/** A development token to make. */
export interface TokenRequest {
  /** Empty: anonymous. */
  readonly user: string;
  /** Seconds; below 1 the token never expires. */
  readonly ttlSeconds: number;
  readonly channel?: string | undefined;
  /** Unix time in ms. */
  readonly nowMs: number;
}

/** An HS256 token (tokens.md 13). Throws if there is no HMAC key. */
export async function signToken(request: TokenRequest, keys: TokenConfig): Promise<string> {
  if (keys.hmacSecretKey === '') throw new Error('no HMAC secret key set');
  const { user, ttlSeconds, channel, nowMs } = request;
  const iat = Math.floor(nowMs / 1000);
  const claims: JWTPayload = { iat };
  if (user !== '') claims.sub = user;
  if (ttlSeconds > 0) claims.exp = iat + ttlSeconds;
  if (channel !== undefined) claims['channel'] = channel;
  if (keys.userIdClaim !== '' && user !== '') claims[keys.userIdClaim] = user;
  const secret = new TextEncoder().encode(keys.hmacSecretKey);
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(secret);
}

/** The line above a token. */
export function tokenTitle({ user, ttlSeconds, channel }: TokenRequest): string {
  const whose = user === '' ? 'anonymous user' : `user "${user}"`;
  const where = channel === undefined ? '' : ` and channel "${channel}"`;
  const until = ttlSeconds < 0 ? 'without expiration' : `with expiration TTL ${formatGoDuration(ttlSeconds * 1000)}`;
  return `HMAC SHA-256 JWT for ${whose}${where} ${until}:`;
}
