import { LimitMeter, type LimitPlan } from '@carillon/policy';

interface UserMeter {
  readonly meter: LimitMeter;
  usedAt: number;
}

/** Users whose use is remembered: beyond it the one who was idle for longest starts anew. */
export const MAX_LIMITED_USERS = 100_000;
/** Of idle users that are looked at when another one comes: more go than come. */
const DROPS_PER_USER = 2;

/** What users have used, in the order of last use. Whoever was idle for the longest interval is forgotten. */
export class UserMeters {
  readonly #users: Map<string, UserMeter> = new Map();
  readonly #maxUsers: number;

  constructor(maxUsers: number = MAX_LIMITED_USERS) {
    this.#maxUsers = maxUsers;
  }

  get size(): number {
    return this.#users.size;
  }

  of(user: string, plan: LimitPlan, nowMs: number): LimitMeter {
    const found = this.#users.get(user);
    if (found !== undefined && found.meter.plan === plan) {
      found.usedAt = nowMs;
      this.#users.delete(user);
      this.#users.set(user, found);
      return found.meter;
    }
    this.#users.delete(user);
    this.#dropIdle(plan, nowMs);
    const made = { meter: new LimitMeter(plan), usedAt: nowMs };
    this.#users.set(user, made);
    return made.meter;
  }

  #dropIdle({ longestIntervalMs }: LimitPlan, nowMs: number): void {
    let left = DROPS_PER_USER;
    for (const [user, { usedAt }] of this.#users) {
      const isIdle = nowMs - usedAt >= longestIntervalMs;
      if (left === 0 || (!isIdle && this.#users.size < this.#maxUsers)) return;
      this.#users.delete(user);
      left -= 1;
    }
  }
}
