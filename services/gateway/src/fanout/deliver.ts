import type { LivePublication } from '@carillon/cluster';
import type { TopicPublisher } from '../edge/socket.ts';
import type { ChannelEntry } from './channel/channel-entry.ts';
import type { PositionStep } from './channel/channel-position.ts';
import type { PublicationGroup } from './channel/publication-group.ts';
import { PublicationFrames } from './encode-push.ts';
import type { HubMetrics } from './hub-metrics.ts';
import type { Subscriber } from './subscriber.ts';

export interface DeliverDeps {
  readonly publisher: TopicPublisher;
  readonly metrics: HubMetrics;
}

/** One publication on its way through a channel. */
export interface Delivery {
  readonly live: LivePublication;
  /** `outside`: not of the stream (offset 0), so it moves nothing. */
  readonly step: PositionStep | 'outside';
  /** Goes up with each delivery of the hub: what filters remember their verdict by. */
  readonly sequence: number;
}

const NOBODY: readonly Subscriber[] = [];

/**
 * The hot loop: one publication to every group of a channel that wants it, encoded once per wire variant. No awaiting, no
 * logging, nothing allocated per subscriber. Returns the subscribers that can't carry the payload: the caller tells
 * them when the loop is over, since what they do then changes the groups.
 */
export function deliver(entry: ChannelEntry, delivery: Delivery, deps: DeliverDeps): readonly Subscriber[] {
  const { live, step } = delivery;
  const { publication } = live;
  const frames = new PublicationFrames({
    channel: entry.channel,
    publication,
    epoch: live.epoch,
    base: live.delta && step === 'next' ? entry.deltaBase : undefined,
    metrics: deps.metrics,
  });
  let refusers = NOBODY;
  let hasFresh = false;
  for (const group of entry.groups.values()) {
    if (isHadAlready(group, delivery)) continue;
    if (group.filter !== undefined && !group.filter.passes(publication, delivery.sequence)) {
      deps.metrics.tagsFilterDropped.inc(group.members.size);
      continue;
    }
    if (group.members.isText && !frames.isJson) {
      refusers = refusers.concat(entry.membersOf(group));
      continue;
    }
    group.members.send(frames.frame(group.form, group.delta), 'push_publication', deps.publisher);
    deps.metrics.deliveries.inc(group.members.size);
    hasFresh ||= group.delta === 'fresh';
  }
  if (entry.hasPatchable && step !== 'old') moveDeltaChain(entry, delivery, hasFresh);
  return refusers;
}

function isHadAlready(group: PublicationGroup, { step }: Delivery): boolean {
  return step === 'old' && group.isPositioned;
}

/** After it everybody who takes patches has this publication. */
function moveDeltaChain(entry: ChannelEntry, { live, step }: Delivery, hasFresh: boolean): void {
  if (step === 'outside') return entry.deltaBase.break();
  entry.deltaBase.moveTo(live.publication);
  if (hasFresh) entry.promoteFresh();
}
