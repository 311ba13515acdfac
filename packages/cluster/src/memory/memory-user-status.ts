import { OperationalError, type Clock } from '@carillon/service-kit';
import { MAX_USER_STATUSES, USER_STATUS_TTL_S, type UserStatus, type UserStatusStore } from '../user-status.ts';

export interface MemoryUserStatusDeps {
  readonly clock: Clock;
  readonly maxStatuses?: number | undefined;
}

interface Kept {
  readonly status: UserStatus;
  /** Ms, monotonic. */
  readonly expiresAt: number;
}

/** User statuses of a cluster of one: gone with the process. */
export class MemoryUserStatus implements UserStatusStore {
  readonly #clock: Clock;
  readonly #maxStatuses: number;
  /** In the order of writing, so that what ends first stands first. */
  readonly #kept: Map<string, Kept> = new Map();
  #isClosed = false;

  constructor({ clock, maxStatuses }: MemoryUserStatusDeps) {
    this.#clock = clock;
    this.#maxStatuses = maxStatuses ?? MAX_USER_STATUSES;
  }

  async put(users: readonly string[], status: UserStatus): Promise<void> {
    this.#assertOpen();
    const expiresAt = this.#clock.monotonic() + USER_STATUS_TTL_S * 1_000;
    for (const user of users) {
      this.#kept.delete(user);
      this.#kept.set(user, { status, expiresAt });
    }
    this.#drop();
  }

  async get(users: readonly string[]): Promise<ReadonlyMap<string, UserStatus>> {
    this.#assertOpen();
    this.#drop();
    const found = new Map<string, UserStatus>();
    for (const user of users) {
      const kept = this.#kept.get(user);
      if (kept !== undefined) found.set(user, kept.status);
    }
    return found;
  }

  async remove(users: readonly string[]): Promise<void> {
    this.#assertOpen();
    for (const user of users) this.#kept.delete(user);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#kept.clear();
  }

  /** What has ended, and the oldest beyond the bound. */
  #drop(): void {
    const now = this.#clock.monotonic();
    for (const [user, { expiresAt }] of this.#kept) {
      if (expiresAt > now && this.#kept.size <= this.#maxStatuses) return;
      this.#kept.delete(user);
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OperationalError('user_status_closed', 'closed', { retriable: false });
  }
}
