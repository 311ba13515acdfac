/** What a user last told, or was told of them (server-api §8). */
export interface UserStatus {
  /** When that was, Unix seconds. */
  readonly active: number;
  /** Any text of the application; '' = none. */
  readonly state: string;
}

/**
 * The last status of users, of the whole cluster: written and read by the server API. Whether somebody is connected is
 * not kept here, gateways know. A status that is not renewed goes after {@link USER_STATUS_TTL_S}. Of two writes for a
 * user the later one counts. A rejection is an `OperationalError`.
 */
export interface UserStatusStore {
  put(users: readonly string[], status: UserStatus): Promise<void>;
  /** The users that have a status. */
  get(users: readonly string[]): Promise<ReadonlyMap<string, UserStatus>>;
  /** Fine for users that have none. */
  remove(users: readonly string[]): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** How long a status is kept after it was written. */
export const USER_STATUS_TTL_S: number = 30 * 86_400;
/** Longest user and longest state, each, bytes. */
export const MAX_USER_STATUS_BYTES = 1_024;
/** Statuses that are kept at a time; beyond it those that were written first are forgotten first. */
export const MAX_USER_STATUSES = 1_000_000;
