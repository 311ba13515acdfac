import type { VerificationKey } from './verify-signature.ts';

/** The unverified header of a token, as far as finding its key goes. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

/** Where verification keys come from: static configuration, or a JWKS endpoint. */
export interface KeySource {
  /**
   * Keys to try, in order. Empty: the algorithm is not enabled. Rejects with `TokenError` when keys can't be had.
   * `groups` are the named groups that the issuer and audience rules found.
   */
  keysFor(header: TokenHeader, groups: Readonly<Record<string, string>>): Promise<readonly VerificationKey[]>;
}
