import { codecFor, type ClientInfo } from '@carillon/protocol/client';
import type { TopicPublisher, WireForm } from '../edge/socket.ts';
import type { ChannelEntry } from './channel/channel-entry.ts';
import { isJsonForm, isJsonInfo } from './encode-push.ts';
import type { HubMetrics } from './hub-metrics.ts';
import type { Subscriber } from './subscriber.ts';

export interface JoinLeave {
  readonly kind: 'join' | 'leave';
  readonly info: ClientInfo;
}

export interface JoinLeaveDeps {
  readonly publisher: TopicPublisher;
  readonly metrics: HubMetrics;
}

/**
 * A join or leave to the subscriptions that want them (client-protocol §3.14), encoded once per form. Returns those that
 * can't carry the client's info, as `deliver` does.
 */
export function deliverJoinLeave(entry: ChannelEntry, event: JoinLeave, deps: JoinLeaveDeps): readonly Subscriber[] {
  const refusers: Subscriber[] = [];
  for (const group of entry.joinLeaveGroups.values()) {
    if (isJsonForm(group.form) && !isJsonInfo(event.info)) {
      refusers.push(...entry.joinLeaveMembersOf(group));
      continue;
    }
    const frameType = event.kind === 'join' ? 'push_join' : 'push_leave';
    group.send(encodeJoinLeave(group.form, entry.channel, event), frameType, deps.publisher);
    deps.metrics.joinLeaveDeliveries.inc(group.size);
  }
  return refusers;
}

function encodeJoinLeave(form: WireForm, channel: string, { kind, info }: JoinLeave): Uint8Array {
  const push = kind === 'join' ? { channel, join: { info } } : { channel, leave: { info } };
  const codec = codecFor(isJsonForm(form) ? 'json' : 'protobuf');
  return form === 'json' || form === 'protobuf' ? codec.encodeReply({ push }) : codec.encodePush(push);
}
