import type { Retention } from '@carillon/cluster';
import { hasHistory, type ChannelFacts } from '@carillon/policy';
import type { ChannelOptions } from '@carillon/protocol/channel';
import { API_BAD_REQUEST, API_NOT_AVAILABLE, API_UNKNOWN_CHANNEL, ApiError } from '@carillon/protocol/codes';
import type { ChannelSettings } from '../method-deps.ts';

/** The channel that a request must name: error 107 without one, 102 for an unknown namespace. */
export function requireChannel(name: string | undefined, { rules }: ChannelSettings): ChannelFacts {
  if (name === undefined || name === '') throw new ApiError(API_BAD_REQUEST);
  return knownChannel(name, rules);
}

/** The same for methods that accept an empty name. Name rules and lengths are for clients only (server-api §6). */
export function knownChannel(name: string, rules: ChannelSettings['rules']): ChannelFacts {
  const channel = rules.resolve(name);
  if (channel === undefined) throw new ApiError(API_UNKNOWN_CHANNEL);
  return channel;
}

/** How the namespace keeps its streams; undefined where it keeps none. */
export function retentionOf(options: ChannelOptions, { historyMetaTtlMs }: ChannelSettings): Retention | undefined {
  if (!hasHistory(options)) return undefined;
  return {
    historySize: options.historySize,
    historyTtlMs: options.historyTtlMs,
    historyMetaTtlMs: options.historyMetaTtlMs > 0 ? options.historyMetaTtlMs : historyMetaTtlMs,
  };
}

/** The same for methods that are about history: error 108 without. */
export function requireRetention(options: ChannelOptions, channels: ChannelSettings): Retention {
  const retention = retentionOf(options, channels);
  if (retention === undefined) throw new ApiError(API_NOT_AVAILABLE);
  return retention;
}
