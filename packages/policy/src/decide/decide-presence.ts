import type { ChannelOptions } from '@carillon/protocol/channel';

import type { ChannelFacts } from '../channel/channel-rules.ts';
import { isPermitted, refuseName, refuseUnless, type Asker, type ChannelStanding } from './permission.ts';
import type { Refusal } from './refusal.ts';

/** presence and presence_stats (tokens.md §8.3): undefined where the client may ask. */
export function decidePresence(
  name: string,
  channel: ChannelFacts | undefined,
  asker: Asker,
  standing: ChannelStanding,
): Refusal | undefined {
  const refusal = refuseName(name, channel);
  if (refusal !== undefined || channel === undefined) return refusal;
  return refuseUnless(channel.options.presence, () => hasPresenceAccess(channel, asker, standing));
}

/** The permission alone, whether or not presence is on: also what a join/leave request needs (§8.1). */
export function hasPresenceAccess(channel: ChannelFacts, asker: Asker, standing: ChannelStanding): boolean {
  return isPermitted(asker, standing, presenceFlags(channel.options), { operation: 'prs', channel: channel.name });
}

function presenceFlags(options: ChannelOptions) {
  return {
    forClient: options.allowPresenceForClient,
    forSubscriber: options.allowPresenceForSubscriber,
    forAnonymous: options.allowPresenceForAnonymous,
  };
}
