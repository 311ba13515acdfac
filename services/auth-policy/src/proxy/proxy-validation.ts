import type { ChannelOptions } from '@carillon/protocol/channel';
import type { NamedProxyConfig, ProxyConfig, StatusTransform } from '@carillon/config';

import { isHttpEndpoint } from './endpoint-scheme.ts';
import type { ProxySettings } from './proxy-settings.ts';

const NAME = /^[-a-zA-Z0-9_.]{2,}$/;
const MAX_REASON_BYTES = 123;

/** A use of a proxy by some switch in the configuration. */
interface Reference {
  /** Path of the option, for people. */
  readonly at: string;
  readonly name: string;
  readonly isEnabled: boolean;
  /** The endpoint that `default` stands for. */
  readonly fallback: ProxyConfig;
  readonly isStream?: boolean | undefined;
}

/** Everything that keeps the proxies from starting (proxy.md §2.2), one line each; empty when all is well. */
export function validateProxies(settings: ProxySettings): readonly string[] {
  const problems: string[] = [];
  checkNamed(settings.proxies, problems);
  const known = new Map(settings.proxies.map((proxy) => [proxy.name, proxy]));
  for (const reference of references(settings)) checkReference(reference, known, problems);
  for (const [at, options] of namespaces(settings)) checkNamespace(at, options, problems);
  for (const [at, proxy] of endpoints(settings)) {
    for (const transform of proxy.http.statusToCodeTransforms) checkTransform(at, transform, problems);
  }
  return problems;
}

function checkNamed(proxies: readonly NamedProxyConfig[], problems: string[]): void {
  const seen = new Set<string>();
  for (const { name, endpoint, timeoutMs } of proxies) {
    if (!NAME.test(name)) problems.push(`proxies: invalid name "${name}"`);
    if (name === 'default') problems.push('proxies: the name "default" is taken');
    if (seen.has(name)) problems.push(`proxies: duplicate name "${name}"`);
    seen.add(name);
    if (endpoint === '') problems.push(`proxies: "${name}" has no endpoint`);
    if (timeoutMs <= 0) problems.push(`proxies: "${name}" has no timeout`);
  }
}

function checkReference(reference: Reference, known: ReadonlyMap<string, ProxyConfig>, problems: string[]): void {
  const { at, name, isEnabled, fallback, isStream = false } = reference;
  const proxy = name === 'default' ? fallback : known.get(name);
  if (proxy === undefined) {
    problems.push(`${at}: unknown proxy "${name}"`);
    return;
  }
  if (!isEnabled) return;
  if (name === 'default' && proxy.endpoint === '') problems.push(`${at}: the default proxy has no endpoint`);
  if (name === 'default' && proxy.timeoutMs <= 0) problems.push(`${at}: the default proxy has no timeout`);
  if (isStream && isHttpEndpoint(proxy.endpoint)) problems.push(`${at}: a stream proxy needs a GRPC endpoint`);
}

function checkNamespace(at: string, options: ChannelOptions, problems: string[]): void {
  const others = options.subscribeProxyEnabled || options.publishProxyEnabled || options.subRefreshProxyEnabled;
  if (options.subscribeStreamProxyEnabled && others) {
    problems.push(`${at}: the stream proxy excludes the subscribe, publish and sub_refresh proxies`);
  }
  const { map } = options;
  if (map.clientKey !== '' && (map.publishProxyEnabled || map.removeProxyEnabled)) {
    problems.push(`${at}: map.client_key excludes the map proxies`);
  }
}

function checkTransform(at: string, { statusCode, toError, toDisconnect }: StatusTransform, problems: string[]): void {
  const where = `${at}.http.status_to_code_transforms`;
  if (statusCode === 0) problems.push(`${where}: status_code is missing`);
  if ((toError.code === 0) === (toDisconnect.code === 0)) {
    problems.push(`${where}: exactly one of to_error.code and to_disconnect.code must be set`);
  }
  for (const text of [toError.message, toDisconnect.reason]) {
    // eslint-disable-next-line no-control-regex -- control characters are ASCII too, as far as upstream is concerned
    if (!/^[\u0000-\u007f]*$/.test(text)) problems.push(`${where}: "${text}" is not ASCII`);
    if (Buffer.byteLength(text) > MAX_REASON_BYTES) problems.push(`${where}: a text is over ${MAX_REASON_BYTES} bytes`);
  }
}

function* references(settings: ProxySettings): Generator<Reference> {
  for (const kind of ['connect', 'refresh'] as const) {
    const proxy = settings.client[kind];
    yield { at: `client.proxy.${kind}`, name: 'default', isEnabled: proxy.enabled, fallback: proxy };
  }
  for (const [at, options] of namespaces(settings)) yield* channelReferences(at, options, settings);
  for (const { at, options } of rpcNamespaces(settings)) {
    yield { at, name: options.proxyName, isEnabled: options.proxyEnabled, fallback: settings.rpc.proxy };
  }
}

function* channelReferences(at: string, options: ChannelOptions, { channel }: ProxySettings): Generator<Reference> {
  const { proxy } = channel;
  yield {
    at: `${at}.subscribe_proxy_name`,
    name: options.subscribeProxyName,
    isEnabled: options.subscribeProxyEnabled,
    fallback: proxy.subscribe,
  };
  yield {
    at: `${at}.publish_proxy_name`,
    name: options.publishProxyName,
    isEnabled: options.publishProxyEnabled,
    fallback: proxy.publish,
  };
  yield {
    at: `${at}.sub_refresh_proxy_name`,
    name: options.subRefreshProxyName,
    isEnabled: options.subRefreshProxyEnabled,
    fallback: proxy.subRefresh,
  };
  yield {
    at: `${at}.subscribe_stream_proxy_name`,
    name: options.subscribeStreamProxyName,
    isEnabled: options.subscribeStreamProxyEnabled,
    fallback: proxy.subscribeStream,
    isStream: true,
  };
  yield* mapReferences(at, options, proxy);
}

function* mapReferences(
  at: string,
  { map, sharedPoll, subscriptionType }: ChannelOptions,
  proxy: ProxySettings['channel']['proxy'],
): Generator<Reference> {
  yield {
    at: `${at}.map.publish_proxy_name`,
    name: map.publishProxyName,
    isEnabled: map.publishProxyEnabled,
    fallback: proxy.mapPublish,
  };
  yield {
    at: `${at}.map.remove_proxy_name`,
    name: map.removeProxyName,
    isEnabled: map.removeProxyEnabled,
    fallback: proxy.mapRemove,
  };
  yield {
    at: `${at}.shared_poll.proxy_name`,
    name: sharedPoll.proxyName,
    isEnabled: subscriptionType === 'shared_poll',
    fallback: proxy.sharedPollRefresh,
  };
}

function namespaces({ channel }: ProxySettings): readonly (readonly [string, ChannelOptions])[] {
  return [
    ['channel.without_namespace', channel.withoutNamespace],
    ...channel.namespaces.map((options) => [`channel.namespaces[${options.name}]`, options] as const),
  ];
}

function rpcNamespaces({ rpc }: ProxySettings) {
  return [
    { at: 'rpc.without_namespace', options: rpc.withoutNamespace },
    ...rpc.namespaces.map((options) => ({ at: `rpc.namespaces[${options.name}]`, options })),
  ];
}

function endpoints({ client, channel, rpc, proxies }: ProxySettings): readonly (readonly [string, ProxyConfig])[] {
  return [
    ['client.proxy.connect', client.connect],
    ['client.proxy.refresh', client.refresh],
    ['channel.proxy.subscribe', channel.proxy.subscribe],
    ['channel.proxy.publish', channel.proxy.publish],
    ['channel.proxy.sub_refresh', channel.proxy.subRefresh],
    ['channel.proxy.subscribe_stream', channel.proxy.subscribeStream],
    ['channel.proxy.map_publish', channel.proxy.mapPublish],
    ['channel.proxy.map_remove', channel.proxy.mapRemove],
    ['channel.proxy.shared_poll_refresh', channel.proxy.sharedPollRefresh],
    ['rpc.proxy', rpc.proxy],
    ...proxies.map((proxy) => [`proxies[${proxy.name}]`, proxy] as const),
  ];
}
