import type { UnblockUserRequest, UnblockUserResult } from '@carillon/protocol/api';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { requireName } from './ban-request.ts';

/** `unblock_user` (server-api §8): fine when the user was not blocked. */
export function createUnblockUser({
  bans,
}: Pick<MethodDeps, 'bans'>): MethodHandler<UnblockUserRequest, UnblockUserResult> {
  return async ({ user }) => {
    await bans.remove({ kind: 'user', user: requireName(user) });
    return {};
  };
}
