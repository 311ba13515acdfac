import type { ChannelOptions } from '@carillon/protocol/channel';

import type { ChannelFacts } from '../channel/channel-rules.ts';
import { isPermitted, refuseName, refuseUnless, type Asker, type ChannelStanding } from './permission.ts';
import type { Refusal } from './refusal.ts';

/** history (tokens.md §8.4): undefined where the client may ask. */
export function decideHistory(
  name: string,
  channel: ChannelFacts | undefined,
  asker: Asker,
  standing: ChannelStanding,
): Refusal | undefined {
  const refusal = refuseName(name, channel);
  if (refusal !== undefined || channel === undefined) return refusal;
  return refuseUnless(hasHistory(channel.options), () => hasHistoryAccess(channel, asker, standing));
}

/** Whether publications of the namespace are kept at all. */
export function hasHistory(options: ChannelOptions): boolean {
  return options.historySize > 0 && options.historyTtlMs > 0;
}

/** The permission alone, whether or not history is kept: also what positioned and recoverable need (§8.1). */
export function hasHistoryAccess(channel: ChannelFacts, asker: Asker, standing: ChannelStanding): boolean {
  return isPermitted(asker, standing, historyFlags(channel.options), { operation: 'hst', channel: channel.name });
}

function historyFlags(options: ChannelOptions) {
  return {
    forClient: options.allowHistoryForClient,
    forSubscriber: options.allowHistoryForSubscriber,
    forAnonymous: options.allowHistoryForAnonymous,
  };
}
