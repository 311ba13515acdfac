import { WheelTimer } from '@carillon/service-kit';
import type { Retention } from '@carillon/cluster';
import { DeltaBase } from '../delta/delta-base.ts';
import type { Subscriber } from '../subscriber.ts';
import type { WireForm } from '../../edge/socket.ts';
import { ChannelPosition } from './channel-position.ts';
import type { LiveSubscription } from './live-subscription.ts';
import { PendingPublications, type PendingLimits } from './pending-publications.ts';
import { type PublicationGroup, type Variant, variantKey } from './publication-group.ts';
import { PushGroup } from './push-group.ts';
import { TagsFilters } from './tags-filter.ts';

/** A subscribe between `open` and `finish`. */
export interface OpeningSubscription {
  abandon(): void;
}

export interface ChannelEntryOptions {
  readonly channel: string;
  /** Unique in the process for ever: topics are named after it. */
  readonly id: number;
  readonly pendingLimits: PendingLimits;
}

/**
 * One active channel of this node: who is subscribed, in which groups, and where the stream is. Holds state and keeps it
 * consistent; it neither talks to the broker nor decides anything.
 */
export class ChannelEntry {
  readonly channel: string;
  readonly id: number;
  readonly position: ChannelPosition = new ChannelPosition();
  readonly pending: PendingPublications;
  readonly deltaBase: DeltaBase = new DeltaBase();
  readonly filters: TagsFilters = new TagsFilters();
  readonly groups: Map<string, PublicationGroup> = new Map();
  readonly joinLeaveGroups: Map<WireForm, PushGroup> = new Map();
  readonly subscriptions: Map<Subscriber, LiveSubscription> = new Map();
  readonly openings: Map<Subscriber, OpeningSubscription> = new Map();
  /** The broker hands publications of the channel to this node. */
  isJoined = false;
  /** The join in flight, shared by all who open meanwhile. */
  joining: Promise<void> | undefined = undefined;
  /** How positioned subscribers read the stream. */
  readRetention: Retention | undefined = undefined;
  /** Monotonic ms of the last delivery or check of a position. */
  positionSeenAt = 0;
  readonly partTimer: WheelTimer<ChannelEntry> = new WheelTimer<ChannelEntry>(this);
  readonly watchTimer: WheelTimer<ChannelEntry> = new WheelTimer<ChannelEntry>(this);
  #positioned = 0;
  #patchable = 0;
  #topics = 0;
  #openingsEra = 0;

  constructor({ channel, id, pendingLimits }: ChannelEntryOptions) {
    this.channel = channel;
    this.id = id;
    this.pending = new PendingPublications(pendingLimits);
  }

  get isIdle(): boolean {
    return this.subscriptions.size === 0 && this.openings.size === 0;
  }

  get hasPositioned(): boolean {
    return this.#positioned > 0;
  }

  /** Somebody has the newest publication, or will after the next one. */
  get hasPatchable(): boolean {
    return this.#patchable > 0;
  }

  /**
   * Goes up when the last opening ended and `pending` was let go. Reads of another era must not be shared: what was
   * delivered since they began is not kept.
   */
  get openingsEra(): number {
    return this.#openingsEra;
  }

  beginOpening(subscriber: Subscriber, opening: OpeningSubscription): void {
    this.openings.set(subscriber, opening);
  }

  endOpening(subscriber: Subscriber): void {
    if (!this.openings.delete(subscriber) || this.openings.size > 0) return;
    this.pending.clear();
    this.#openingsEra += 1;
  }

  /** Makes a subscriber live. From the next publication on it gets everything of its variant. */
  add(subscriber: Subscriber, variant: Variant, pushJoinLeave: boolean): void {
    const group = this.#groupOf(variant);
    const joinLeave = pushJoinLeave ? this.#joinLeaveGroupOf(variant.form) : undefined;
    this.subscriptions.set(subscriber, { subscriber, group, joinLeave });
    group.members.add(subscriber);
    joinLeave?.add(subscriber);
    if (variant.isPositioned) this.#positioned += 1;
    if (isPatchable(variant)) this.#patchable += 1;
  }

  /** False when it was not live. */
  remove(subscriber: Subscriber): boolean {
    const subscription = this.subscriptions.get(subscriber);
    if (subscription === undefined) return false;
    const { group, joinLeave } = subscription;
    this.subscriptions.delete(subscriber);
    this.#leave(group, subscriber);
    if (joinLeave !== undefined) {
      joinLeave.remove(subscriber);
      if (joinLeave.size === 0) this.joinLeaveGroups.delete(joinLeave.form);
    }
    if (group.isPositioned) this.#positioned -= 1;
    if (isPatchable(group)) this.#patchable -= 1;
    if (this.#patchable === 0) this.deltaBase.clear();
    return true;
  }

  /** Everybody fresh has got a publication in full: ready for patches. */
  promoteFresh(): void {
    for (const group of this.groups.values()) if (group.delta === 'fresh') this.#promote(group);
  }

  /** Takes out every positioned subscriber; the caller tells them. */
  removePositioned(): Subscriber[] {
    const removed: Subscriber[] = [];
    if (this.#positioned === 0) return removed;
    for (const { subscriber, group } of this.subscriptions.values()) {
      if (group.isPositioned) removed.push(subscriber);
    }
    for (const subscriber of removed) this.remove(subscriber);
    return removed;
  }

  membersOf(group: PublicationGroup): Subscriber[] {
    const members: Subscriber[] = [];
    for (const subscription of this.subscriptions.values()) {
      if (subscription.group === group) members.push(subscription.subscriber);
    }
    return members;
  }

  joinLeaveMembersOf(group: PushGroup): Subscriber[] {
    const members: Subscriber[] = [];
    for (const { subscriber, joinLeave } of this.subscriptions.values()) {
      if (joinLeave === group) members.push(subscriber);
    }
    return members;
  }

  #groupOf(variant: Variant): PublicationGroup {
    const key = variantKey(variant);
    let group = this.groups.get(key);
    if (group === undefined) {
      const { form, isPositioned, delta, filter } = variant;
      const members = new PushGroup({ form, topic: this.#nextTopic(), isTransient: delta === 'fresh' });
      group = { key, form, isPositioned, delta, filter, members };
      if (filter !== undefined) filter.users += 1;
      this.groups.set(key, group);
    }
    return group;
  }

  #promote(fresh: PublicationGroup): void {
    const ready = this.#groupOf({ form: fresh.form, isPositioned: true, delta: 'ready', filter: undefined });
    for (const subscriber of fresh.members.looped) {
      const subscription = this.subscriptions.get(subscriber);
      if (subscription === undefined) continue;
      fresh.members.remove(subscriber);
      ready.members.add(subscriber);
      subscription.group = ready;
    }
    this.groups.delete(fresh.key);
  }

  #joinLeaveGroupOf(form: WireForm): PushGroup {
    let group = this.joinLeaveGroups.get(form);
    if (group === undefined) {
      group = new PushGroup({ form, topic: this.#nextTopic() });
      this.joinLeaveGroups.set(form, group);
    }
    return group;
  }

  #leave(group: PublicationGroup, subscriber: Subscriber): void {
    group.members.remove(subscriber);
    if (group.members.size > 0) return;
    this.groups.delete(group.key);
    if (group.filter !== undefined) this.filters.release(group.filter);
  }

  #nextTopic(): string {
    this.#topics += 1;
    return `${this.id.toString(36)}.${this.#topics.toString(36)}`;
  }
}

function isPatchable({ delta }: Variant): boolean {
  return delta === 'fresh' || delta === 'ready';
}
