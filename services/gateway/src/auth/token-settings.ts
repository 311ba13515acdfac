/** Keys and rules for one kind of token (tokens.md §1); the empty string means not configured. */
export interface TokenSettings {
  readonly hmacSecretKey: string;
  readonly hmacPreviousSecretKey: string;
  /** Unix seconds; 0 = the previous key is always tried. */
  readonly hmacPreviousSecretKeyValidUntil: number;
  /** PEM text. */
  readonly rsaPublicKey: string;
  /** PEM text. */
  readonly ecdsaPublicKey: string;
  /** Set: the static keys above are ignored. */
  readonly jwksPublicEndpoint: string;
  readonly audience: string;
  readonly audienceRegex: string;
  readonly issuer: string;
  readonly issuerRegex: string;
  /** Claim that holds the user id instead of `sub`. */
  readonly userIdClaim: string;
  /** Signatures are not checked; all other rules are (client.insecure_skip_token_signature_verify). */
  readonly skipSignatureVerify: boolean;
}
