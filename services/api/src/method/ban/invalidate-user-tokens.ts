import type { InvalidateUserTokensRequest, InvalidateUserTokensResult } from '@carillon/protocol/api';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { boundedName, requireName, requireTime } from './ban-request.ts';

/**
 * `invalidate_user_tokens` (server-api §8, tokens §9.1). The last call for a user and channel counts, so that one that
 * named a wrong time can be corrected.
 */
export function createInvalidateUserTokens({
  bans,
  clock,
}: Pick<MethodDeps, 'bans' | 'clock'>): MethodHandler<InvalidateUserTokensRequest, InvalidateUserTokensResult> {
  return async ({ user, channel, issuedBefore, expireAt }) => {
    // Whole seconds, as `iat` has them: a token that is issued right after the call, to log in anew, must be good.
    const nowS = Math.floor(clock.now() / 1_000);
    await bans.put({
      kind: 'user_tokens',
      user: requireName(user),
      channel: boundedName(channel),
      issuedBefore: requireTime(issuedBefore) || nowS,
      expireAt: requireTime(expireAt),
    });
    return {};
  };
}
