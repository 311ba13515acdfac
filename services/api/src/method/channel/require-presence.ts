import { API_NOT_AVAILABLE, ApiError } from '@carillon/protocol/codes';
import { requireChannel } from '../request/channel-lookup.ts';
import type { ChannelSettings } from '../method-deps.ts';

/** The name of a channel that has presence: error 107, 102 or 108 otherwise. */
export function requirePresence(name: string | undefined, channels: ChannelSettings): string {
  const channel = requireChannel(name, channels);
  if (!channel.options.presence) throw new ApiError(API_NOT_AVAILABLE);
  return channel.name;
}
