import type { SubscribeOptionOverride } from '@carillon/protocol/api';
import type { ChannelsCapability } from '@carillon/protocol/proxy';

/** Checks tokens against the configured keys and rules (tokens.md §2). Holds the key cache of a JWKS endpoint. */
export interface TokenVerifier {
  /** Rejects with `TokenError`. */
  verifyConnectToken(token: string): Promise<ConnectClaims>;
  /** Rejects with `TokenError`. */
  verifySubscribeToken(token: string): Promise<SubscribeClaims>;
}

/**
 * `invalid`: malformed, wrong signature or claim; `expired`: past `exp` or before `nbf`; `unknown_channel`: a channel that
 * it names has no namespace (error 102, tokens.md §2 step 9);
 * `internal`: base64 of `b64info` does not decode in a connection token (error 100, tokens.md §4).
 */
export type TokenErrorCode = 'invalid' | 'expired' | 'unknown_channel' | 'internal';

/** Why a token was refused. The message is for the log and never holds the token. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly code: TokenErrorCode;

  constructor(code: TokenErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** tokens.md §4, after defaults: `expireAt` is already `expire_at` or `exp`. */
export interface ConnectClaims {
  readonly user: string;
  /** Unix seconds; 0 = the connection never expires. */
  readonly expireAt: number;
  /** Unix seconds; 0 = unknown. */
  readonly issuedAt: number;
  readonly tokenId: string | undefined;
  /** Bytes of `b64info`, or the raw JSON of `info` (`null` is kept). */
  readonly info: Uint8Array | undefined;
  readonly meta: Uint8Array | undefined;
  /** `channels`, only where `subs` is empty. */
  readonly channels: readonly string[];
  readonly subs: ReadonlyMap<string, TokenSubscription>;
  readonly caps: readonly ChannelsCapability[];
}

/** One entry of the `subs` claim. */
export interface TokenSubscription {
  readonly info: Uint8Array | undefined;
  readonly data: Uint8Array | undefined;
  readonly override: SubscribeOptionOverride | undefined;
}

/** tokens.md §5. */
export interface SubscribeClaims {
  readonly user: string;
  /** `sub` was present in the token (legacy tokens leave it out, tokens.md §12.1). */
  readonly hasUser: boolean;
  readonly channel: string;
  readonly client: string | undefined;
  /** Unix seconds; 0 = the subscription never expires. */
  readonly expireAt: number;
  readonly issuedAt: number;
  readonly tokenId: string | undefined;
  readonly info: Uint8Array | undefined;
  readonly data: Uint8Array | undefined;
  readonly override: SubscribeOptionOverride | undefined;
  /** `allow` claim (tokens.md §10). */
  readonly allow: readonly string[];
}
