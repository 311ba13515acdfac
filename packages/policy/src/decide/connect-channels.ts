import type { ChannelSyntax } from '@carillon/protocol/channel';
import { DISCONNECT_BAD_REQUEST } from '@carillon/protocol/codes';

import { isListedUser, type ChannelFacts, type ChannelRules } from '../channel/channel-rules.ts';
import { isSubscribeAllowed } from './decide-subscribe.ts';
import { refuseConnection, type Refusal } from './refusal.ts';
import { SUBSCRIPTION_SOURCE, type SubscriptionSource } from '../channel/subscription-source.ts';

export interface ConnectChannelsQuestion {
  /** Keys of `connect.subs`. */
  readonly requested: Iterable<string>;
  /** Channels the token or another source gives anyway: those win. */
  readonly granted: ReadonlySet<string>;
  readonly user: string;
  /** `client.insecure`. */
  readonly insecure: boolean;
  readonly rules: Pick<ChannelRules, 'resolve'>;
}

export type ConnectChannelsVerdict =
  | { readonly kind: 'grant'; readonly channels: readonly ChannelFacts[]; readonly source: SubscriptionSource }
  | Refusal;

/**
 * Server-side subscriptions that the client itself asks for when it connects (tokens.md §6). Only for connections with a
 * token or without credentials, never after the connect proxy or the user ID header. What is not permitted is skipped in
 * silence; an unknown namespace is a disconnect.
 */
export function decideConnectChannels(question: ConnectChannelsQuestion): ConnectChannelsVerdict {
  const channels: ChannelFacts[] = [];
  for (const name of question.requested) {
    const channel = question.rules.resolve(name);
    if (channel === undefined) return refuseConnection(DISCONNECT_BAD_REQUEST);
    if (question.granted.has(name) || !isEligible(channel)) continue;
    if (isGranted(channel, question.user) || question.insecure) channels.push(channel);
  }
  return { kind: 'grant', channels, source: SUBSCRIPTION_SOURCE.connectRequest };
}

/** Kinds of channels that can be had this way at all. */
function isEligible({ name, isPrivate, isNameValid, options }: ChannelFacts): boolean {
  // compat: `channel.max_length` binds the subscribe command alone (tokens.md §7).
  if (name === '' || isPrivate || !isNameValid) return false;
  if (options.subscribeProxyEnabled || options.subscribeStreamProxyEnabled) return false;
  // Server-side subscriptions are of the stream type.
  return options.subscriptionType === '' || options.subscriptionType === 'stream';
}

function isGranted(channel: ChannelFacts, user: string): boolean {
  return channel.allowedUsers === undefined ? isSubscribeAllowed(channel, user) : isListedUser(channel, user);
}

/** Name of a user's personal channel (tokens.md §6.1); undefined for the anonymous user. */
export function personalChannel(user: string, namespace: string, syntax: ChannelSyntax): string | undefined {
  if (user === '') return undefined;
  const name = `${syntax.userBoundary}${user}`;
  return namespace === '' ? name : `${namespace}${syntax.namespaceBoundary}${name}`;
}
