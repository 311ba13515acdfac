import type { TokenClaims, TokenKind } from '@carillon/protocol/token';
import type { Clock } from '@carillon/service-kit';
import { createClaimRules } from './claim-rules.ts';
import { audiences, bytesClaim, numericDate, userIdFrom, wholeNumber } from './claim-values.ts';
import type { KeySource } from './key-source.ts';
import { parseToken, type TokenParts } from './token-parts.ts';
import { verifySignature } from './verify-signature.ts';
import type { TokenSettings } from './token-settings.ts';
import { TokenError, type ConnectClaims, type SubscribeClaims, type TokenSubscription } from './token-verifier.ts';

export interface VerifyTokenDeps {
  readonly settings: TokenSettings;
  readonly keys: KeySource;
  readonly clock: Clock;
}

/** Takes a token apart and proves it: steps 1 to 7 of tokens.md §2. Rejects with `TokenError`. */
export type VerifyToken = (token: string, kind: TokenKind) => Promise<TokenParts>;

/** Whether the namespace of a channel exists. */
export type IsKnownChannel = (channel: string) => boolean;

export interface ClaimReading {
  /** Claim that names the user; '' = `sub`. */
  readonly userIdClaim: string;
  readonly isKnownChannel: IsKnownChannel;
}

export function createVerifyToken({ settings, keys, clock }: VerifyTokenDeps): VerifyToken {
  const rules = createClaimRules(settings);
  return async (token, kind) => {
    const parts = parseToken(token, kind);
    checkTypes(parts.claims);
    const groups = rules.matchPatterns(parts.claims);
    if (!settings.skipSignatureVerify) {
      const candidates = await keys.keysFor(parts.header, groups);
      await verifySignature(token, parts.header.alg, candidates);
    }
    rules.checkExact(parts.claims);
    if (kind === 'connection') refuseChannel(parts.claims);
    rules.checkTimes(parts.claims, clock.now() / 1000);
    return parts;
  };
}

/** Step 2 for claims that the schema leaves raw: a wrong type is invalid also where nobody looks at it, or when expired. */
function checkTypes(claims: TokenClaims): void {
  audiences(claims.aud);
  numericDate(claims.exp, 'exp');
  numericDate(claims.nbf, 'nbf');
  numericDate(claims.iat, 'iat');
  wholeNumber(claims.expireAt, 'expire_at');
}

/** Step 6: such a token is invalid even when it is expired, so that nobody refreshes it. */
function refuseChannel({ channel }: TokenClaims): void {
  if (channel !== undefined) throw new TokenError('invalid', 'a connection token must not name a channel');
}

/** tokens.md §4. A namespace that does not exist is told before anything else that is wrong with the claims. */
export function connectClaims(
  { claims, payload }: TokenParts,
  { userIdClaim, isKnownChannel }: ClaimReading,
): ConnectClaims {
  const named = Object.entries(claims.subs ?? {});
  const channels = named.length > 0 ? [] : (claims.channels ?? []);
  for (const name of [...channels, ...named.map(([channel]) => channel)]) checkKnown(name, isKnownChannel);
  const subs = new Map(named.map(([name, sub]) => [name, tokenSubscription(sub)]));
  return {
    user: userIdClaim === '' ? (claims.sub ?? '') : userIdFrom(payload, userIdClaim),
    expireAt: expiryOf(claims),
    issuedAt: numericDate(claims.iat, 'iat') ?? 0,
    tokenId: claims.jti,
    info: bytesClaim(claims.b64info, claims.info, 'internal'),
    meta: claims.meta,
    channels,
    subs,
    caps: claims.caps ?? [],
  };
}

/** tokens.md §5. */
export function subscribeClaims(
  { claims, payload }: TokenParts,
  { userIdClaim, isKnownChannel }: ClaimReading,
): SubscribeClaims {
  if (claims.channel === undefined) throw new TokenError('invalid', 'a subscription token must name a channel');
  checkKnown(claims.channel, isKnownChannel);
  const user = userIdClaim === '' ? (claims.sub ?? '') : userIdFrom(payload, userIdClaim);
  return {
    user,
    hasUser: user !== '',
    channel: claims.channel,
    client: claims.client,
    expireAt: expiryOf(claims),
    issuedAt: numericDate(claims.iat, 'iat') ?? 0,
    tokenId: claims.jti,
    info: bytesClaim(claims.b64info, claims.info, 'invalid'),
    data: bytesClaim(claims.b64data, claims.data, 'invalid'),
    override: claims.override,
    allow: claims.allow ?? [],
  };
}

/** Step 9. */
function checkKnown(channel: string, isKnownChannel: IsKnownChannel): void {
  if (!isKnownChannel(channel)) throw new TokenError('unknown_channel', `no namespace for the channel ${channel}`);
}

function tokenSubscription(sub: NonNullable<TokenClaims['subs']>[string]): TokenSubscription {
  return {
    info: bytesClaim(sub.b64info, sub.info, 'invalid'),
    data: bytesClaim(sub.b64data, sub.data, 'invalid'),
    override: sub.override,
  };
}

/** `expire_at` where it is given (0 and less: never), else `exp`. */
function expiryOf(claims: TokenClaims): number {
  const expireAt = wholeNumber(claims.expireAt, 'expire_at');
  if (expireAt !== undefined) return Math.max(0, expireAt);
  return Math.floor(numericDate(claims.exp, 'exp') ?? 0);
}
