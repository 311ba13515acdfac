import type { ChannelOptions } from '@carillon/protocol/channel';
import type { Config } from '../config.ts';
import { checkMap, checkPresencePrefixes, checkSharedPoll } from './check-maps.ts';
import { checkReference, isHttpEndpoint } from './check-proxies.ts';
import { checkNames, checkRegex, type Complaints } from './rule.ts';

/** Rules for namespaces (channels-and-config.md 1.13, proxy.md 2.2). `given` are the paths the user set. */
export function* checkChannels(config: Config, given: ReadonlySet<string>): Complaints {
  const { channel } = config;
  yield* checkNames(
    'channel.namespaces',
    channel.namespaces.map(({ name }) => name),
  );
  if (isSubSecond(channel.historyMetaTtlMs)) yield 'channel.history_meta_ttl must be whole seconds, and not negative';
  yield* checkNamespace(config, 'channel.without_namespace', channel.withoutNamespace, given);
  for (const [index, options] of channel.namespaces.entries()) {
    yield* checkNamespace(config, `channel.namespaces[${index}]`, options, given);
  }
  yield* checkPersonalChannel(config);
}

function* checkNamespace(
  config: Config,
  path: string,
  options: ChannelOptions,
  given: ReadonlySet<string>,
): Complaints {
  yield* checkHistory(config, path, options);
  yield* checkRegex(`${path}.channel_regex`, options.channelRegex);
  yield* checkNamespaceProxies(config, path, options);
  yield* checkMap(path, options, given);
  yield* checkPresencePrefixes(config, path, options);
  yield* checkSharedPoll(config, path, options);
}

function* checkHistory(config: Config, path: string, options: ChannelOptions): Complaints {
  const { historySize, historyTtlMs, historyMetaTtlMs } = options;
  if (historySize > 0 !== historyTtlMs > 0) yield `${path}.history_size and history_ttl must both be set, or neither`;
  if (isSubSecond(historyTtlMs)) yield `${path}.history_ttl must be whole seconds, and not negative`;
  if (isSubSecond(historyMetaTtlMs)) yield `${path}.history_meta_ttl must be whole seconds, and not negative`;
  const metaTtlMs = historyMetaTtlMs || config.channel.historyMetaTtlMs;
  if (metaTtlMs < historyTtlMs) yield `${path}.history_meta_ttl must not be below history_ttl`;
  const hasHistory = historySize > 0 && historyTtlMs > 0;
  if (options.forceRecovery && !hasHistory) yield `${path}.force_recovery needs history_size and history_ttl`;
  if (options.autoCacheRecover && !(options.forceRecovery && options.forceRecoveryMode === 'cache')) {
    yield `${path}.auto_cache_recover needs force_recovery and force_recovery_mode "cache"`;
  }
}

/** Not a whole number of seconds, or negative. */
function isSubSecond(durationMs: number): boolean {
  return durationMs < 0 || durationMs % 1000 !== 0;
}

function* checkNamespaceProxies(config: Config, path: string, options: ChannelOptions): Complaints {
  const { proxy } = config.channel;
  const uses = [
    ['subscribe_proxy_name', options.subscribeProxyName, options.subscribeProxyEnabled, 'subscribe', proxy.subscribe],
    ['publish_proxy_name', options.publishProxyName, options.publishProxyEnabled, 'publish', proxy.publish],
    [
      'sub_refresh_proxy_name',
      options.subRefreshProxyName,
      options.subRefreshProxyEnabled,
      'sub_refresh',
      proxy.subRefresh,
    ],
    [
      'subscribe_stream_proxy_name',
      options.subscribeStreamProxyName,
      options.subscribeStreamProxyEnabled,
      'subscribe_stream',
      proxy.subscribeStream,
    ],
    [
      'map.publish_proxy_name',
      options.map.publishProxyName,
      options.map.publishProxyEnabled,
      'map_publish',
      proxy.mapPublish,
    ],
    [
      'map.remove_proxy_name',
      options.map.removeProxyName,
      options.map.removeProxyEnabled,
      'map_remove',
      proxy.mapRemove,
    ],
    [
      'shared_poll.proxy_name',
      options.sharedPoll.proxyName,
      options.subscriptionType === 'shared_poll',
      'shared_poll_refresh',
      proxy.sharedPollRefresh,
    ],
  ] as const;
  for (const [key, name, enabled, event, fallback] of uses) {
    const fallbackPath = `channel.proxy.${event}`;
    yield* checkReference(config, { path: `${path}.${key}`, name, enabled, fallback, fallbackPath });
  }
  yield* checkStreamProxy(config, path, options);
}

function* checkStreamProxy(config: Config, path: string, options: ChannelOptions): Complaints {
  if (!options.subscribeStreamProxyEnabled) return;
  if (options.subscribeProxyEnabled || options.publishProxyEnabled || options.subRefreshProxyEnabled) {
    yield `${path}.subscribe_stream_proxy_enabled excludes the subscribe, publish and sub_refresh proxies`;
  }
  const named = config.proxies.find(({ name }) => name === options.subscribeStreamProxyName);
  if (isHttpEndpoint((named ?? config.channel.proxy.subscribeStream).endpoint)) {
    yield `${path}.subscribe_stream_proxy_name needs a GRPC endpoint`;
  }
}

function* checkPersonalChannel(config: Config): Complaints {
  const personal = config.client.subscribeToUserPersonalChannel;
  if (!personal.enabled) return;
  const path = 'client.subscribe_to_user_personal_channel';
  const name = personal.personalChannelNamespace;
  const { namespaces, withoutNamespace } = config.channel;
  const options = name === '' ? withoutNamespace : namespaces.find((item) => item.name === name);
  if (options === undefined) yield `${path}.personal_channel_namespace ${JSON.stringify(name)} is no namespace`;
  else if (personal.singleConnection && !options.presence) {
    yield `${path}.single_connection needs presence in that namespace`;
  }
}
