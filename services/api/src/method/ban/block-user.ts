import type { BlockUserRequest, BlockUserResult } from '@carillon/protocol/api';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { requireName, requireTime } from './ban-request.ts';

/** `block_user` (server-api §8, tokens §9.1): gateways disconnect the user and refuse them until `expire_at`, 0 = for ever. */
export function createBlockUser({ bans }: Pick<MethodDeps, 'bans'>): MethodHandler<BlockUserRequest, BlockUserResult> {
  return async ({ user, expireAt }) => {
    await bans.put({ kind: 'user', user: requireName(user), expireAt: requireTime(expireAt) });
    return {};
  };
}
