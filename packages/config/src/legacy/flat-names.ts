/** Flat names of versions 1 to 5 and the options they stand for (channels-and-config.md 3.14, proxy.md 2.3). */

import { optionTable } from '../config.ts';
import { envOptions, envPart } from '../read/env-names.ts';

const CHANNEL_EVENTS = ['subscribe', 'publish', 'sub_refresh', 'subscribe_stream'];
const PROXIES: readonly string[] = [
  'client.proxy.connect',
  'client.proxy.refresh',
  'rpc.proxy',
  ...[
    'subscribe',
    'publish',
    'sub_refresh',
    'subscribe_stream',
    'map_publish',
    'map_remove',
    'shared_poll_refresh',
  ].map((event) => `channel.proxy.${event}`),
];
const PERSONAL = 'client.subscribe_to_user_personal_channel';

/** Names that follow no rule. */
const SINGLE: Readonly<Record<string, string>> = {
  secret: 'client.token.hmac_secret_key',
  separate_subscription_token_config: 'client.subscription_token.enabled',
  skip_user_check_in_subscription_token: 'client.subscription_token.legacy_client_claim',
  client_anonymous: 'client.allow_anonymous_connect_without_token',
  user_subscribe_to_personal: `${PERSONAL}.enabled`,
  user_personal_channel_namespace: `${PERSONAL}.personal_channel_namespace`,
  user_personal_single_connection: `${PERSONAL}.single_connection`,
  namespaces: 'channel.namespaces',
  rpc_namespaces: 'rpc.namespaces',
  rpc_namespace_boundary: 'rpc.namespace_boundary',
  channel_max_length: 'channel.max_length',
  channel_private_prefix: 'channel.private_prefix',
  channel_namespace_boundary: 'channel.namespace_boundary',
  channel_user_boundary: 'channel.user_boundary',
  channel_user_separator: 'channel.user_separator',
  global_history_meta_ttl: 'channel.history_meta_ttl',
  global_presence_ttl: 'engine.redis.presence_ttl',
  presence_ttl: 'engine.redis.presence_ttl',
  redis_url: 'engine.redis.address',
  usage_stats_disable: 'usage_stats.disabled',
  name: 'node.name',
  rpc_proxy_name: 'rpc.without_namespace.proxy_name',
  proxy_rpc: 'rpc.without_namespace.proxy_enabled',
};

/** Fields that are now in every proxy object. */
const IN_EVERY_PROXY: Readonly<Record<string, string>> = {
  proxy_http_headers: 'http_headers',
  proxy_extra_http_headers: 'http_headers',
  proxy_grpc_metadata: 'grpc_metadata',
  proxy_binary_encoding: 'binary_encoding',
  proxy_include_connection_meta: 'include_connection_meta',
  proxy_static_http_headers: 'http.static_headers',
  proxy_http_status_code_transforms: 'http.status_to_code_transforms',
  proxy_grpc_compression: 'grpc.compression',
  proxy_grpc_credentials_key: 'grpc.credentials_key',
  proxy_grpc_credentials_value: 'grpc.credentials_value',
  proxy_grpc_cert_file: 'grpc.tls.server_ca_pem',
};

/** Prefix of a flat name and the group that took its place. Longer prefixes come first. */
const PREFIXES: readonly (readonly [prefix: string, group: string])[] = [
  ['subscription_token_', 'client.subscription_token'],
  ['uni_http_stream_', 'uni_http_stream'],
  ['uni_websocket_', 'uni_websocket'],
  ['opentelemetry_', 'opentelemetry'],
  ['webtransport_', 'webtransport'],
  ['http_stream_', 'http_stream'],
  ['prometheus_', 'prometheus'],
  ['emulation_', 'emulation'],
  ['websocket_', 'websocket'],
  ['grpc_api_', 'grpc_api'],
  ['uni_grpc_', 'uni_grpc'],
  ['graphite_', 'graphite'],
  ['shutdown_', 'shutdown'],
  ['swagger_', 'swagger'],
  ['uni_sse_', 'uni_sse'],
  ['client_', 'client'],
  ['health_', 'health'],
  ['admin_', 'admin'],
  ['redis_', 'engine.redis'],
  ['debug_', 'debug'],
  ['token_', 'client.token'],
  ['nats_', 'broker.nats'],
  ['node_', 'node'],
  ['init_', 'init'],
  ['api_', 'http_api'],
  ['log_', 'log'],
  ['sse_', 'sse'],
];

/** Groups whose options were at the top level. */
const TOP_LEVEL: readonly (readonly [names: RegExp, group: string])[] = [
  [/^(?:address|port|internal_address|internal_port|internal_tls.*|tls.*|h2c_external|http3)$/, 'http_server'],
  [
    /^(?:allowed_origins|ping_interval|pong_timeout|allow_anonymous_connect_without_token|disallow_anonymous_connection_tokens)$/,
    'client',
  ],
  [/./, 'channel.without_namespace'],
];

const RENAMED_ENDS: readonly (readonly [end: RegExp, replacement: string])[] = [
  [/(^|_)disable$/, '$1disabled'],
  [/(^|_)(tls|tls_autocert|http3)$/, '$1$2_enabled'],
  [/(^|_)tls_(cert|key|server_ca|client_ca)$/, '$1tls_$2_pem'],
  [/(^|_)tls_(cert|key|server_ca|client_ca)_(?:pem_)?file$/, '$1tls_$2_pem'],
  [/(^|_)tls_root_ca$/, '$1tls_server_ca_pem'],
];

const byName = new Map(envOptions(optionTable).map((option) => [option.name, option]));
const byPath = new Map(envOptions(optionTable).map((option) => [option.path.join('.'), option]));

/** Whether the option at a path is a duration. */
export function isDurationPath(path: string): boolean {
  return byPath.get(path)?.field.kind === 'duration';
}

/** The paths a flat name stands for, the main one first; undefined if it is no such name. */
export function flatTargets(name: string): readonly string[] | undefined {
  const single = Object.hasOwn(SINGLE, name) ? SINGLE[name] : undefined;
  if (single !== undefined) return [single];
  const inEvery = Object.hasOwn(IN_EVERY_PROXY, name) ? IN_EVERY_PROXY[name] : undefined;
  if (inEvery !== undefined) return PROXIES.map((proxy) => `${proxy}.${inEvery}`);
  return endpointTarget(name) ?? prefixTarget(name) ?? topLevelTarget(name);
}

/** `proxy_<event>_endpoint` and `proxy_<event>_timeout`. */
function endpointTarget(name: string): readonly string[] | undefined {
  const [, event = '', option] = /^proxy_(.+)_(endpoint|timeout)$/.exec(name) ?? [];
  if (option === undefined) return undefined;
  if (event === 'rpc') return [`rpc.proxy.${option}`];
  if (event === 'connect' || event === 'refresh') return [`client.proxy.${event}.${option}`];
  return CHANNEL_EVENTS.includes(event) ? [`channel.proxy.${event}.${option}`] : undefined;
}

function prefixTarget(name: string): readonly string[] | undefined {
  for (const [prefix, group] of PREFIXES) {
    const path = name.startsWith(prefix) ? pathIn(group, name.slice(prefix.length)) : undefined;
    if (path !== undefined) return [path];
  }
  return undefined;
}

function topLevelTarget(name: string): readonly string[] | undefined {
  for (const [names, group] of TOP_LEVEL) {
    const path = names.test(name) ? pathIn(group, name) : undefined;
    if (path !== undefined) return [path];
  }
  return undefined;
}

/** The option of a group that was called `rest`, nested groups joined by `_`. */
function pathIn(group: string, rest: string): string | undefined {
  const variants = [rest, ...RENAMED_ENDS.map(([end, replacement]) => rest.replace(end, replacement))];
  for (const variant of variants) {
    const option = byName.get(`${envPart(group)}_${envPart(variant)}`);
    if (option !== undefined && option.path.join('.').startsWith(`${group}.`)) return option.path.join('.');
  }
  return undefined;
}
