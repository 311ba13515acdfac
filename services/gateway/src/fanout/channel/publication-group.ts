import type { WireForm } from '../../edge/socket.ts';
import type { PushGroup } from './push-group.ts';
import type { TagsFilter } from './tags-filter.ts';

/**
 * What delta makes of a subscriber's publications (client-protocol §5). `none`: plain. `whole`: string form, but never a
 * patch, since without a position nobody knows what it has. `fresh`: the next one of the stream whole, then `ready`.
 * `ready`: has the previous publication, so patches.
 */
export type DeltaUse = 'none' | 'whole' | 'fresh' | 'ready';

export interface Variant {
  readonly form: WireForm;
  /** Gets only what is next in the stream, and is told when it can't. */
  readonly isPositioned: boolean;
  readonly delta: DeltaUse;
  /** Only with delta `none`: a chain of patches can't miss a link. */
  readonly filter: TagsFilter | undefined;
}

/** Subscribers of one channel whose publications are the same bytes. */
export interface PublicationGroup extends Variant {
  readonly key: string;
  readonly members: PushGroup;
}

export function variantKey({ form, isPositioned, delta, filter }: Variant): string {
  return `${form} ${isPositioned ? 'positioned' : 'free'} ${delta} ${filter?.key ?? ''}`;
}
