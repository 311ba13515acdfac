import type { LimitPlan, LimitSlot } from './limit-plan.ts';
import { TokenBuckets } from './token-buckets.ts';

/** What one client or user has used of a plan. Buckets are made when a command first needs them. */
export class LimitMeter {
  readonly plan: LimitPlan;
  readonly #buckets: (TokenBuckets | undefined)[];

  constructor(plan: LimitPlan) {
    this.plan = plan;
    this.#buckets = [];
  }

  /** Takes from the slot, then from the total: a command that is refused by the one does not count in the other. */
  take(slot: LimitSlot | undefined, nowMs: number): boolean {
    if (slot !== undefined && !this.#of(slot).take(nowMs)) return false;
    const { total } = this.plan;
    return total === undefined || this.#of(total).take(nowMs);
  }

  /** Counts a command that is never refused. */
  count(slot: LimitSlot | undefined, nowMs: number): void {
    if (slot !== undefined) this.#of(slot).takeAvailable(nowMs);
    if (this.plan.total !== undefined) this.#of(this.plan.total).takeAvailable(nowMs);
  }

  #of({ index, buckets }: LimitSlot): TokenBuckets {
    return (this.#buckets[index] ??= new TokenBuckets(buckets));
  }
}
