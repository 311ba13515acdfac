import { MAX_USER_STATUS_BYTES } from '@carillon/cluster';
import { API_BAD_REQUEST, ApiError } from '@carillon/protocol/codes';
import { surveyAll } from '../cluster/survey.ts';
import type { MethodDeps } from '../method-deps.ts';
import type { MethodHandlers } from '../method-handlers.ts';

/** Users that one call may name; more are error 107. */
const MAX_USERS = 1_000;

type UserStatusMethods = Pick<MethodHandlers, 'updateUserStatus' | 'getUserStatus' | 'deleteUserStatus'>;

/**
 * `update_user_status`, `get_user_status`, `delete_user_status` (server-api §8). `active` is the time of the last update,
 * or of the newest live connection if that is later; `online` is now for who is connected and 0 for who is not.
 */
export function createUserStatusMethods({
  userStatus,
  control,
  clock,
}: Pick<MethodDeps, 'userStatus' | 'control' | 'clock'>): UserStatusMethods {
  const nowS = (): number => Math.floor(clock.now() / 1_000);
  return {
    async updateUserStatus({ users, state = '' }) {
      if (isTooLong(state)) throw new ApiError(API_BAD_REQUEST);
      await userStatus.put(requireUsers(users), { active: nowS(), state });
      return {};
    },
    async getUserStatus({ users }) {
      const names = requireUsers(users);
      const [kept, answers] = await Promise.all([
        userStatus.get(names),
        surveyAll(control, { kind: 'users', users: names }),
      ]);
      const connectedAtMs = newestOf(answers.map((answer) => answer.users));
      const now = nowS();
      const statuses = names.map((user) => {
        const connectedAt = connectedAtMs.get(user);
        const { active = 0, state = '' } = kept.get(user) ?? {};
        return {
          user,
          active: Math.max(active, Math.floor((connectedAt ?? 0) / 1_000)),
          online: connectedAt === undefined ? 0 : now,
          state,
        };
      });
      return { statuses };
    },
    async deleteUserStatus({ users }) {
      await userStatus.remove(requireUsers(users));
      return {};
    },
  };
}

function requireUsers(users: readonly string[] = []): readonly string[] {
  const isValid =
    users.length > 0 && users.length <= MAX_USERS && !users.some((user) => user === '' || isTooLong(user));
  if (!isValid) throw new ApiError(API_BAD_REQUEST);
  return users;
}

function isTooLong(text: string): boolean {
  return Buffer.byteLength(text) > MAX_USER_STATUS_BYTES;
}

function newestOf(nodes: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const users of nodes) {
    for (const [user, at] of users) newest.set(user, Math.max(at, newest.get(user) ?? 0));
  }
  return newest;
}
