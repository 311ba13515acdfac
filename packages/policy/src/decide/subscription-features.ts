import type { ChannelOptions } from '@carillon/protocol/channel';
import type { SubscribeOptionOverride } from '@carillon/protocol/proxy';

import type { ChannelFacts } from '../channel/channel-rules.ts';
import { hasHistoryAccess } from './decide-history.ts';
import { hasPresenceAccess } from './decide-presence.ts';
import type { Asker, ChannelStanding } from './permission.ts';

/**
 * Who decided the subscription, since each grants other things (channels-and-config.md §1.3 notes, proxy.md §6.3, §6.7):
 * `rules`: flags, user lists, capabilities, insecure mode; `server`: server-side subscriptions of every source.
 */
export type DecidedBy = 'rules' | 'token' | 'proxy' | 'stream' | 'server';

export interface FeatureQuestion {
  readonly channel: ChannelFacts;
  readonly decidedBy: DecidedBy;
  readonly asker: Asker;
  /** `allow` of the token or the proxy's answer; empty for none. */
  readonly subscriptionAllow: readonly string[];
  readonly requested: RequestedFeatures;
  /** Of the token or the proxy's answer. */
  readonly override?: SubscribeOptionOverride | undefined;
}

export interface RequestedFeatures {
  readonly positioned: boolean;
  readonly recoverable: boolean;
  readonly joinLeave: boolean;
  readonly delta: string;
}

export const NOTHING_REQUESTED: RequestedFeatures = Object.freeze({
  positioned: false,
  recoverable: false,
  joinLeave: false,
  delta: '',
});

/** What one subscription does. */
export interface SubscriptionFeatures {
  /** Its presence is kept. */
  readonly presence: boolean;
  /** Its own join and leave are published. */
  readonly joinLeave: boolean;
  /** It receives joins and leaves of others. */
  readonly pushJoinLeave: boolean;
  /** Its position is watched; also true when it is recoverable. */
  readonly positioned: boolean;
  readonly recoverable: boolean;
  /** Fossil deltas were negotiated. */
  readonly delta: boolean;
}

/** Which requested flags are honoured, what the namespace forces and what the decision overrides. */
export function subscriptionFeatures(question: FeatureQuestion): SubscriptionFeatures {
  const forced = forcedFeatures(question.channel.options, question.override);
  const wanted = mayRequest(question.decidedBy) ? grantedFeatures(question) : NOTHING_REQUESTED;
  const hasPositions = question.decidedBy !== 'stream';
  const recoverable = hasPositions && (forced.recoverable || wanted.recoverable);
  return {
    presence: forced.presence,
    joinLeave: forced.joinLeave,
    pushJoinLeave: forced.pushJoinLeave || wanted.joinLeave,
    positioned: recoverable || (hasPositions && (forced.positioned || wanted.positioned)),
    recoverable,
    delta: hasPositions && isDeltaAllowed(question.channel.options, question.requested.delta),
  };
}

/** Whether a tags filter may come with the subscription; if not, one that comes is error 107 (client-protocol.md §6.2). */
export function isTagsFilterAllowed(options: ChannelOptions): boolean {
  return options.allowTagsFilter;
}

/** compat: what a backend or the server decided is not widened by what the client asked for. */
function mayRequest(decidedBy: DecidedBy): boolean {
  return decidedBy === 'rules' || decidedBy === 'token';
}

function forcedFeatures(options: ChannelOptions, override: SubscribeOptionOverride | undefined) {
  return {
    presence: overridden(override?.presence, options.presence),
    joinLeave: overridden(override?.joinLeave, options.joinLeave),
    pushJoinLeave: overridden(override?.forcePushJoinLeave, options.forcePushJoinLeave),
    positioned: overridden(override?.forcePositioning, options.forcePositioning),
    recoverable: overridden(override?.forceRecovery, options.forceRecovery),
  };
}

/** `{}` counts as false; an absent field keeps the namespace's value (tokens.md §5.1). */
function overridden(field: { readonly value?: boolean | undefined } | undefined, ofNamespace: boolean): boolean {
  return field === undefined ? ofNamespace : field.value === true;
}

/** Access counts as if the subscription were established already (tokens.md §8.1). */
function grantedFeatures({ channel, asker, subscriptionAllow, requested }: FeatureQuestion) {
  const standing: ChannelStanding = { isSubscribed: true, subscriptionAllow };
  const { options } = channel;
  const readsHistory = (requested.positioned || requested.recoverable) && hasHistoryAccess(channel, asker, standing);
  return {
    positioned: requested.positioned && (options.allowPositioning || readsHistory),
    recoverable: requested.recoverable && (options.allowRecovery || readsHistory),
    joinLeave: requested.joinLeave && options.joinLeave && hasPresenceAccess(channel, asker, standing),
  };
}

function isDeltaAllowed(options: ChannelOptions, delta: string): boolean {
  return options.allowedDeltaTypes.some((allowed) => allowed === delta);
}
