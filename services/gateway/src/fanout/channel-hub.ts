import type { Broker, LivePublication, LiveReceiver, Retention } from '@carillon/cluster';
import type { ClientInfo } from '@carillon/protocol/client';
import { ALREADY_SUBSCRIBED, ClientError } from '@carillon/protocol/codes';
import { OperationalError, TimerWheel, type Clock } from '@carillon/service-kit';
import type { TopicPublisher } from '../edge/socket.ts';
import { ChannelEntry } from './channel/channel-entry.ts';
import type { PositionStep } from './channel/channel-position.ts';
import { deliver } from './deliver.ts';
import { deliverJoinLeave } from './join-leave.ts';
import type { FollowDelivery } from './follow-deliveries.ts';
import type { HubMetrics } from './hub-metrics.ts';
import type { ChannelHub, OpenOptions, OpenSubscription } from './hub-port.ts';
import type { HubSettings } from './hub-settings.ts';
import { Opening, type OpeningDeps } from './opening/open-subscription.ts';
import { RecoveredLists } from './opening/recovered-list.ts';
import { StreamReads } from './opening/stream-reads.ts';
import type { Subscriber } from './subscriber.ts';
import { PositionWatch } from './watch-position.ts';

const NOBODY: readonly Subscriber[] = [];

const PART_TICK_MS = 250;
const PART_SLOTS = 16;

/** What the hub uses of the broker. The broker bounds how long each call takes. */
export type HubBroker = Pick<Broker, 'join' | 'part' | 'history'>;

export interface ChannelHubDeps {
  readonly broker: HubBroker;
  readonly publisher: TopicPublisher;
  readonly clock: Clock;
  readonly metrics: HubMetrics;
  readonly settings: HubSettings;
  /** Undefined: nobody follows deliveries. */
  readonly follow?: FollowDelivery | undefined;
}

/**
 * The channels of this node: joins the broker's for as long as somebody here is subscribed, takes publications from it and
 * hands each to the groups of subscribers that want it. Knows nothing of sessions, permissions or commands.
 */
export class BrokerChannelHub implements ChannelHub, LiveReceiver {
  readonly #deps: ChannelHubDeps;
  readonly #entries: Map<string, ChannelEntry> = new Map();
  /** Parts in flight: a channel is joined again only when the broker is done with the last part. */
  readonly #parting: Map<string, Promise<void>> = new Map();
  readonly #openingDeps: OpeningDeps;
  readonly #partWheel: TimerWheel<ChannelEntry['partTimer']>;
  readonly #watch: PositionWatch;
  #lastEntryId = 0;
  #sequence = 0;
  #numSubscriptions = 0;

  constructor(deps: ChannelHubDeps) {
    const { broker, clock, metrics, settings } = deps;
    this.#deps = deps;
    this.#partWheel = new TimerWheel({
      clock,
      tickMs: PART_TICK_MS,
      slots: PART_SLOTS,
      onDue: ({ owner }) => this.#part(owner),
    });
    this.#watch = new PositionWatch({
      broker,
      clock,
      metrics,
      checkDelayMs: settings.positionCheckDelayMs,
      maxChecks: settings.maxPositionChecks,
      onMismatch: (entry) => this.#dropPositioned(entry),
    });
    this.#openingDeps = {
      reads: new StreamReads(broker, metrics),
      lists: new RecoveredLists(),
      metrics,
      onPositionsVoid: (entry) => this.#dropPositioned(entry),
      onLive: (entry) => this.#becomeLive(entry),
      onEnd: (entry) => this.#releaseIfIdle(entry),
    };
  }

  get numChannels(): number {
    let channels = 0;
    for (const entry of this.#entries.values()) if (entry.subscriptions.size > 0) channels += 1;
    return channels;
  }

  get numSubscriptions(): number {
    return this.#numSubscriptions;
  }

  channelCounts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { channel, subscriptions } of this.#entries.values()) {
      if (subscriptions.size > 0) counts.set(channel, subscriptions.size);
    }
    return counts;
  }

  async open(subscriber: Subscriber, channel: string, options: OpenOptions): Promise<OpenSubscription> {
    const entry = this.#entryOf(channel);
    if (entry.subscriptions.has(subscriber) || entry.openings.has(subscriber)) {
      throw new ClientError(ALREADY_SUBSCRIBED);
    }
    this.#partWheel.cancel(entry.partTimer);
    const readRetention = options.retention ?? this.#deps.settings.positionOnlyRetention;
    const opening = new Opening({ entry, subscriber, options, readRetention }, this.#openingDeps);
    try {
      if (!entry.isJoined) await this.#join(entry, options.retention);
      await opening.prepare();
      return opening;
    } catch (error) {
      opening.abandon();
      throw error;
    }
  }

  close(subscriber: Subscriber, channel: string): void {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return;
    entry.openings.get(subscriber)?.abandon();
    if (!entry.remove(subscriber)) return;
    this.#numSubscriptions -= 1;
    this.#settleAfterLeave(entry);
  }

  onPublication(channel: string, live: LivePublication): void {
    const entry = this.#entries.get(channel);
    // Before the join is confirmed nobody has a claim to anything, and reads begin after it.
    if (entry === undefined || !entry.isJoined) return;
    const { metrics } = this.#deps;
    metrics.publications.inc();
    const step = this.#track(entry, live);
    const mustDrop = step === 'lost' || (step === 'next' && this.#isTooOld(live));
    const dropped = mustDrop ? this.#takePositioned(entry) : NOBODY;
    let refusers = NOBODY;
    if (entry.groups.size > 0) {
      this.#sequence += 1;
      const delivered = this.#deps.follow?.(channel, live, entry.subscriptions.size);
      refusers = deliver(entry, { live, step, sequence: this.#sequence }, this.#deps);
      delivered?.();
    }
    // Told last: what sessions do then changes the groups.
    for (const subscriber of dropped) subscriber.onInsufficientState(channel);
    this.#refuse(refusers);
  }

  onJoin(channel: string, info: ClientInfo): void {
    this.#deliverJoinLeave(channel, 'join', info);
  }

  onLeave(channel: string, info: ClientInfo): void {
    this.#deliverJoinLeave(channel, 'leave', info);
  }

  onPositionLost(channel: string): void {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return;
    entry.position.forget();
    entry.pending.clear();
    this.#dropPositioned(entry);
  }

  /** Stops all timers. Joined channels stay with the broker, which is closed by its owner. */
  stop(): void {
    this.#partWheel.stop();
    this.#watch.stop();
  }

  #entryOf(channel: string): ChannelEntry {
    let entry = this.#entries.get(channel);
    if (entry === undefined) {
      const { maxPendingPublications, maxPendingBytes } = this.#deps.settings;
      this.#lastEntryId += 1;
      entry = new ChannelEntry({
        channel,
        id: this.#lastEntryId,
        pendingLimits: { maxPublications: maxPendingPublications, maxBytes: maxPendingBytes },
      });
      this.#entries.set(channel, entry);
    }
    return entry;
  }

  /** One join in flight per channel, whoever asks. A failure goes to all who wait; the next open tries again. */
  #join(entry: ChannelEntry, retention: Retention | undefined): Promise<void> {
    entry.joining ??= this.#startJoin(entry, retention).finally(() => (entry.joining = undefined));
    return entry.joining;
  }

  async #startJoin(entry: ChannelEntry, retention: Retention | undefined): Promise<void> {
    // The broker counts nothing, so a part that is still on its way would undo this join.
    await this.#parting.get(entry.channel);
    try {
      await this.#deps.broker.join(entry.channel, { retention });
      entry.isJoined = true;
    } catch (error) {
      this.#deps.metrics.brokerFailures.inc();
      throw error;
    }
  }

  #part(entry: ChannelEntry): void {
    if (!entry.isIdle) return;
    if (entry.joining !== undefined) return this.#releaseIfIdle(entry);
    const { channel } = entry;
    this.#entries.delete(channel);
    const parted = this.#deps.broker
      .part(channel)
      .catch((error: unknown) => {
        if (!(error instanceof OperationalError)) throw error;
        this.#deps.metrics.brokerFailures.inc();
      })
      .finally(() => this.#parting.delete(channel));
    this.#parting.set(channel, parted);
  }

  #becomeLive(entry: ChannelEntry): void {
    this.#numSubscriptions += 1;
    if (entry.hasPositioned) this.#watch.watch(entry);
  }

  #settleAfterLeave(entry: ChannelEntry): void {
    if (!entry.hasPositioned) this.#watch.unwatch(entry);
    this.#releaseIfIdle(entry);
  }

  #releaseIfIdle(entry: ChannelEntry): void {
    if (entry.isIdle) this.#partWheel.schedule(entry.partTimer, this.#deps.settings.partDelayMs);
  }

  /** Moves the position of the channel and keeps the publication for who is opening. */
  #track(entry: ChannelEntry, live: LivePublication): PositionStep | 'outside' {
    const { offset = 0 } = live.publication;
    if (offset === 0) return 'outside';
    const { metrics, clock } = this.#deps;
    const step = entry.position.advance(offset, live.epoch);
    if (step === 'old') {
      metrics.duplicates.inc();
      return step;
    }
    if (step === 'lost') entry.pending.clear();
    if (entry.openings.size > 0 && !entry.pending.push(live.publication)) metrics.pendingOverflows.inc();
    if (entry.hasPositioned) entry.positionSeenAt = clock.monotonic();
    return step;
  }

  #isTooOld({ publishedAt }: LivePublication): boolean {
    const { positionMaxLagMs } = this.#deps.settings;
    return positionMaxLagMs > 0 && publishedAt > 0 && this.#deps.clock.now() - publishedAt > positionMaxLagMs;
  }

  #takePositioned(entry: ChannelEntry): readonly Subscriber[] {
    const taken = entry.removePositioned();
    if (taken.length === 0) return taken;
    this.#numSubscriptions -= taken.length;
    this.#deps.metrics.insufficientStates.inc(taken.length);
    this.#settleAfterLeave(entry);
    return taken;
  }

  #dropPositioned(entry: ChannelEntry): void {
    for (const subscriber of this.#takePositioned(entry)) subscriber.onInsufficientState(entry.channel);
  }

  #deliverJoinLeave(channel: string, kind: 'join' | 'leave', info: ClientInfo): void {
    const entry = this.#entries.get(channel);
    if (entry === undefined || !entry.isJoined || entry.joinLeaveGroups.size === 0) return;
    this.#refuse(deliverJoinLeave(entry, { kind, info }, this.#deps));
  }

  #refuse(subscribers: readonly Subscriber[]): void {
    if (subscribers.length === 0) return;
    this.#deps.metrics.inappropriatePayloads.inc(subscribers.length);
    for (const subscriber of subscribers) subscriber.onInappropriatePayload();
  }
}
