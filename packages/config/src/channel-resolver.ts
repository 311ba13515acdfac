import { type ChannelOptions, type ChannelSyntax, parseChannel } from '@carillon/protocol/channel';
import type { Config } from './config.ts';

/** What configuration says about a channel. `rest` is what `channel_regex` is tested on. */
export interface ResolvedChannel {
  readonly options: ChannelOptions;
  /** Empty for channels without a namespace. */
  readonly namespace: string;
  readonly rest: string;
  readonly isPrivate: boolean;
}

/** Names remembered; beyond it the oldest is forgotten. */
export const RESOLVER_CACHE_CHANNELS = 10_000;

/** Finds the options of channels by name (channels-and-config.md 1.2); undefined means the namespace is unknown. */
export function channelResolver(config: Pick<Config, 'channel'>): (name: string) => ResolvedChannel | undefined {
  const { channel } = config;
  const syntax: ChannelSyntax = channel;
  const namespaces = new Map<string, ChannelOptions>(channel.namespaces.map((item) => [item.name, item]));
  const known = new Map<string, ResolvedChannel>();
  return (name) => {
    const cached = known.get(name);
    if (cached !== undefined) return cached;
    const { namespace, rest, isPrivate } = parseChannel(name, syntax);
    const options = namespace === '' ? channel.withoutNamespace : namespaces.get(namespace);
    if (options === undefined) return undefined;
    const resolved: ResolvedChannel = { options, namespace, rest, isPrivate };
    if (known.size >= RESOLVER_CACHE_CHANNELS) known.delete(known.keys().next().value ?? '');
    known.set(name, resolved);
    return resolved;
  };
}
