import type { RevokeTokenRequest, RevokeTokenResult } from '@carillon/protocol/api';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { requireName, requireTime } from './ban-request.ts';

/** `revoke_token` (server-api §8, tokens §9.1): tokens with this `jti` are refused until `expire_at`, 0 = for ever. */
export function createRevokeToken({
  bans,
}: Pick<MethodDeps, 'bans'>): MethodHandler<RevokeTokenRequest, RevokeTokenResult> {
  return async ({ uid, expireAt }) => {
    await bans.put({ kind: 'token', tokenId: requireName(uid), expireAt: requireTime(expireAt) });
    return {};
  };
}
