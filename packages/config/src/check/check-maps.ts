import type { ChannelOptions, SubscriptionType } from '@carillon/protocol/channel';
import type { Config } from '../config.ts';
import type { Complaints } from './rule.ts';

const MAP_TYPES: ReadonlySet<SubscriptionType> = new Set(['map', 'map_clients', 'map_users']);

/** Rules for map namespaces (channels-and-config.md 1.5.4, 1.13). */
export function* checkMap(path: string, options: ChannelOptions, given: ReadonlySet<string>): Complaints {
  const { map, subscriptionType } = options;
  if (map.clientKey !== '' && (map.publishProxyEnabled || map.removeProxyEnabled)) {
    yield `${path}.map.client_key excludes the map proxies`;
  }
  if (!MAP_TYPES.has(subscriptionType)) {
    if (map.removeClientOnUnsubscribe) yield `${path}.map.remove_client_on_unsubscribe needs a map subscription_type`;
    return;
  }
  yield* checkMode(path, options, given);
  if (map.metaTtlMs !== 0 && map.metaTtlMs < map.streamTtlMs) yield `${path}.map.meta_ttl must not be below stream_ttl`;
  if (!(map.minPageSize <= map.defaultPageSize && map.defaultPageSize <= map.maxPageSize)) {
    yield `${path}.map page sizes must be in order: min_page_size, default_page_size, max_page_size`;
  }
}

function* checkMode(path: string, { map, subscriptionType }: ChannelOptions, given: ReadonlySet<string>): Complaints {
  if (map.mode === '') yield `${path}.map.mode must be set for subscription_type ${subscriptionType}`;
  else if (map.mode === 'persistent') {
    if (map.keyTtlMs !== 0) yield `${path}.map.key_ttl must not be set in mode persistent`;
    if (subscriptionType !== 'map') yield `${path}.map.mode persistent excludes subscription_type ${subscriptionType}`;
  } else if (map.keyTtlMs <= 0) yield `${path}.map.key_ttl must be set in mode ${map.mode}`;
  if (map.mode !== 'ephemeral') return;
  for (const key of ['stream_size', 'stream_ttl']) {
    if (given.has(`${path}.map.${key}`)) yield `${path}.map.${key} must not be set in mode ephemeral`;
  }
}

/** A presence prefix must lead to a namespace of the type that holds such entries. */
export function* checkPresencePrefixes(config: Config, path: string, options: ChannelOptions): Complaints {
  const prefixes = [
    ['map_clients_presence_channel_prefix', options.mapClientsPresenceChannelPrefix, 'map_clients'],
    ['map_users_presence_channel_prefix', options.mapUsersPresenceChannelPrefix, 'map_users'],
  ] as const;
  for (const [key, prefix, type] of prefixes) {
    if (prefix === '') continue;
    const { namespaceBoundary, namespaces, withoutNamespace } = config.channel;
    const [name, ...rest] = prefix.split(namespaceBoundary);
    const target = rest.length === 0 ? withoutNamespace : namespaces.find((item) => item.name === name);
    if (target?.subscriptionType !== type) yield `${path}.${key} must lead to a namespace of type ${type}`;
  }
}

/** Rules for shared poll namespaces. */
export function* checkSharedPoll(config: Config, path: string, options: ChannelOptions): Complaints {
  if (options.subscriptionType !== 'shared_poll') return;
  if (config.sharedPoll.hmacSecretKey === '') yield `${path} is a shared poll and needs shared_poll.hmac_secret_key`;
  if (options.sharedPoll.publishEnabled && options.sharedPoll.mode !== 'versioned') {
    yield `${path}.shared_poll.publish_enabled needs mode versioned`;
  }
}
