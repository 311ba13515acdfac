import { channelByteLength } from '@carillon/protocol/channel';
import { SUBSCRIPTION_TYPE_SHARED_POLL, SUBSCRIPTION_TYPE_STREAM } from '@carillon/protocol/client';
import {
  ALREADY_SUBSCRIBED,
  BAD_REQUEST,
  DISCONNECT_BAD_REQUEST,
  LIMIT_EXCEEDED,
  NOT_AVAILABLE,
  PERMISSION_DENIED,
  UNKNOWN_CHANNEL,
} from '@carillon/protocol/codes';

import { isListedUser, type ChannelFacts } from '../channel/channel-rules.ts';
import type { Asker } from './permission.ts';
import { refuse, refuseConnection, type Refusal } from './refusal.ts';
import { SUBSCRIPTION_SOURCE, type SubscriptionSource } from '../channel/subscription-source.ts';
import { isKnownWireType, wireSubscriptionType } from '../channel/subscription-type.ts';

export interface SubscribeQuestion {
  /** As requested. */
  readonly name: string;
  /** Undefined: its namespace is unknown. */
  readonly channel: ChannelFacts | undefined;
  /** `type` of the request; 0 where absent. */
  readonly type: number;
  /** `delta` of the request; empty where absent. */
  readonly delta: string;
  readonly hasToken: boolean;
  readonly asker: Asker;
  /** Subscribed, subscribing, or (maps) catching up, on this connection. */
  readonly isSubscribed: boolean;
  /** Channels of this connection, those that are being subscribed included. */
  readonly channelCount: number;
  readonly limits: SubscribeLimits;
}

export interface SubscribeLimits {
  /** `channel.max_length`. */
  readonly maxChannelBytes: number;
  /** `client.channel_limit`; 0 and below: none. */
  readonly channelLimit: number;
}

export type SubscribeVerdict =
  | { readonly kind: 'allow'; readonly source: SubscriptionSource }
  /** The token alone decides (tokens.md §5). */
  | { readonly kind: 'ask_token' }
  | { readonly kind: 'ask_proxy'; readonly proxyName: string }
  | { readonly kind: 'ask_stream'; readonly proxyName: string; readonly isBidirectional: boolean }
  | Refusal;

/**
 * Rows 1–18 of client-protocol.md §3.9, in that order; the first that matches decides. The tags filter (row 19) and the
 * expiry (row 20) come after permission: `subscription-features.ts` and whoever knows the expiry.
 */
export function decideSubscribe(question: SubscribeQuestion): SubscribeVerdict {
  return refuseRequest(question) ?? decideChannel(question);
}

/** What the connection and the form of the request allow, before anything is known of permissions. */
function refuseRequest(question: SubscribeQuestion): Refusal | undefined {
  const { name, channel, type, delta, limits } = question;
  if (name === '') return refuseConnection(DISCONNECT_BAD_REQUEST);
  if (!isKnownWireType(type)) return refuse(BAD_REQUEST);
  const isSharedPoll = channel?.options.subscriptionType === 'shared_poll';
  if (isSharedPoll && type !== SUBSCRIPTION_TYPE_SHARED_POLL) return refuse(BAD_REQUEST);
  if (!isSharedPoll && type === SUBSCRIPTION_TYPE_SHARED_POLL) return refuse(NOT_AVAILABLE);
  if (type === SUBSCRIPTION_TYPE_STREAM && delta !== '' && delta !== 'fossil') {
    return refuseConnection(DISCONNECT_BAD_REQUEST);
  }
  if (channelByteLength(name) > limits.maxChannelBytes) return refuse(BAD_REQUEST);
  if (question.isSubscribed) return refuse(ALREADY_SUBSCRIBED);
  if (isChannelLimitReached(question.channelCount, limits)) return refuse(LIMIT_EXCEEDED);
  return undefined;
}

/** Whether a connection with so many channels may have no more. */
export function isChannelLimitReached(count: number, { channelLimit }: Pick<SubscribeLimits, 'channelLimit'>): boolean {
  return channelLimit > 0 && count >= channelLimit;
}

function decideChannel({ name, channel, type, hasToken, asker }: SubscribeQuestion): SubscribeVerdict {
  if (channel === undefined) return refuse(UNKNOWN_CHANNEL);
  if (!channel.isNameValid) return refuse(BAD_REQUEST);
  if (type !== wireSubscriptionType(channel.options.subscriptionType)) return refuse(PERMISSION_DENIED);
  if (channel.isPrivate && !hasToken) return refuse(PERMISSION_DENIED);
  if (hasToken) return { kind: 'ask_token' };
  if (isListedUser(channel, asker.user)) return { kind: 'allow', source: SUBSCRIPTION_SOURCE.userLimited };
  return decideUnlisted(name, channel, asker);
}

/** Neither a token nor a user list admits the client. */
function decideUnlisted(name: string, channel: ChannelFacts, asker: Asker): SubscribeVerdict {
  const { options } = channel;
  const isUserLimited = channel.allowedUsers !== undefined;
  if (!isUserLimited) {
    if (options.subscribeProxyEnabled) return { kind: 'ask_proxy', proxyName: options.subscribeProxyName };
    if (options.subscribeStreamProxyEnabled) {
      const proxyName = options.subscribeStreamProxyName;
      return { kind: 'ask_stream', proxyName, isBidirectional: options.subscribeStreamProxyBidirectional };
    }
  }
  if (asker.capabilities.allows('sub', name)) {
    return { kind: 'allow', source: SUBSCRIPTION_SOURCE.connectionCapability };
  }
  if (!isUserLimited && isSubscribeAllowed(channel, asker.user)) {
    return { kind: 'allow', source: SUBSCRIPTION_SOURCE.clientAllowed };
  }
  if (asker.insecure) return { kind: 'allow', source: SUBSCRIPTION_SOURCE.clientInsecure };
  return refuse(PERMISSION_DENIED);
}

/** `allow_subscribe_for_client` with the anonymity rule; the anonymous flag alone admits nobody. */
export function isSubscribeAllowed({ options }: ChannelFacts, user: string): boolean {
  return options.allowSubscribeForClient && (user !== '' || options.allowSubscribeForAnonymous);
}
