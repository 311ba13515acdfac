export { createTokenVerifier, type TokenVerifierOptions } from './create-token-verifier.ts';
export { createJwksKeys, type JwksKeysDeps } from './jwks-keys.ts';
export type { KeySource } from './key-source.ts';
export { createStaticKeys } from './static-keys.ts';
export { parseToken, type TokenParts } from './token-parts.ts';
export type { TokenSettings } from './token-settings.ts';
export { TokenError, type ConnectClaims, type SubscribeClaims, type TokenVerifier } from './token-verifier.ts';
