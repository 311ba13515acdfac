import { withDeadline, type Clock } from '@carillon/service-kit';
import type { Subscription } from '../session/subscription.ts';

/** Without presence an unsubscribe is as good as done, and clients wait five seconds for its answer. */
export const LEAVE_WAIT_MS = 1_000;

/**
 * Waits until a subscription that has ended is out of presence, so that whoever hears of its end and asks another node does
 * not find it there; not longer than a second. Undefined where there is nothing to wait for; never rejects.
 */
export function leftPresence(ended: Subscription | undefined, clock: Clock): Promise<void> | undefined {
  if (ended?.left === undefined) return undefined;
  return withDeadline(ended.left, LEAVE_WAIT_MS, 'presence_leave', clock).then(ignore, ignore);
}

/** A removal that failed has been reported where it was begun. */
function ignore(): void {}
