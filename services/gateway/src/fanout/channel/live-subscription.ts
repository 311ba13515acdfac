import type { Subscriber } from '../subscriber.ts';
import type { PublicationGroup } from './publication-group.ts';
import type { PushGroup } from './push-group.ts';

/** A subscription that is live: what its channel keeps for it. */
export interface LiveSubscription {
  readonly subscriber: Subscriber;
  /** Changes once, when a delta subscriber has got its first publication. */
  group: PublicationGroup;
  /** Set where join and leave pushes are wanted. */
  readonly joinLeave: PushGroup | undefined;
}
