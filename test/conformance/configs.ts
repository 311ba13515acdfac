import type { Config } from '../harness/start-process.ts';
import { mergeConfig } from '../harness/standalone.ts';

const HISTORY = { history_size: 10, history_ttl: '60s' };
const SUBSCRIBE = { allow_subscribe_for_client: true };
const OPEN = { ...SUBSCRIBE, allow_publish_for_client: true, allow_history_for_client: true };

/** One namespace for each thing that a row asks about. */
const NAMESPACES: readonly Config[] = [
  { name: 'closed' },
  { name: 'hist', ...OPEN, ...HISTORY },
  { name: 'hclosed', ...SUBSCRIBE, ...HISTORY },
  { name: 'small', ...OPEN, history_size: 3, history_ttl: '60s', force_recovery: true },
  { name: 'big', ...OPEN, history_size: 1000, history_ttl: '60s', force_recovery: true },
  { name: 'pos', ...OPEN, ...HISTORY, force_positioning: true },
  { name: 'allowrec', ...SUBSCRIBE, ...HISTORY, allow_recovery: true },
  { name: 'shortttl', ...OPEN, history_size: 10, history_ttl: '1s', force_recovery: true },
  { name: 'shortmeta', ...OPEN, history_size: 10, history_ttl: '1s', history_meta_ttl: '2s' },
  { name: 'nottl', ...OPEN },
  { name: 'prs', ...SUBSCRIBE, presence: true, allow_presence_for_client: true },
  { name: 'pclosed', ...SUBSCRIBE, presence: true },
  {
    name: 'psub',
    ...SUBSCRIBE,
    presence: true,
    ...HISTORY,
    allow_presence_for_subscriber: true,
    allow_history_for_subscriber: true,
    allow_publish_for_subscriber: true,
  },
  { name: 'jl', ...OPEN, presence: true, allow_presence_for_client: true, join_leave: true },
  {
    name: 'jlh',
    ...OPEN,
    ...HISTORY,
    presence: true,
    allow_presence_for_client: true,
    join_leave: true,
    force_push_join_leave: true,
  },
  { name: 'jlx', ...SUBSCRIBE, presence: true, join_leave: true },
  {
    name: 'anon',
    ...SUBSCRIBE,
    allow_subscribe_for_anonymous: true,
    allow_publish_for_client: true,
    allow_publish_for_anonymous: true,
  },
  { name: 'anononly', allow_subscribe_for_anonymous: true, allow_publish_for_anonymous: true },
  { name: 'ul', ...SUBSCRIBE, allow_user_limited_channels: true },
  { name: 'digits', ...OPEN, ...HISTORY, channel_regex: '^[0-9]+$' },
  { name: 'loose', ...OPEN, channel_regex: 'ab' },
  { name: 'any', ...OPEN, channel_regex: '^.+$' },
  { name: 'json', ...OPEN, publication_data_format: 'json' },
  { name: 'obj', ...OPEN, publication_data_format: 'json_object' },
  { name: 'bin', ...OPEN, publication_data_format: 'binary' },
  { name: 'map', ...SUBSCRIBE, subscription_type: 'map', map: { mode: 'persistent' } },
  { name: 'poll', ...SUBSCRIBE, subscription_type: 'shared_poll' },
  { name: 'delta', ...OPEN, ...HISTORY, force_recovery: true, allowed_delta_types: ['fossil'], delta_publish: true },
  { name: 'deltaflag', ...OPEN, ...HISTORY, force_recovery: true, allowed_delta_types: ['fossil'] },
  { name: 'tags', ...OPEN, ...HISTORY, force_recovery: true, allow_tags_filter: true },
  { name: 'cache', ...OPEN, ...HISTORY, force_recovery: true, force_recovery_mode: 'cache', allow_tags_filter: true },
  { name: 'auto', ...OPEN, ...HISTORY, force_recovery: true, force_recovery_mode: 'cache', auto_cache_recover: true },
  { name: 'dotted.name-1', ...SUBSCRIBE },
];

const BASE: Config = {
  client: { allowed_origins: ['http://good.example', 'https://*.good.example'] },
  sse: { enabled: true },
  http_stream: { enabled: true },
  uni_websocket: { enabled: true },
  uni_sse: { enabled: true },
  uni_http_stream: { enabled: true },
  init: { enabled: true },
  admin: { enabled: true, password: 'open', secret: 'sesame' },
  shared_poll: { hmac_secret_key: 'polls' },
  channel: {
    proxy: { shared_poll_refresh: { endpoint: 'http://127.0.0.1:9/' } },
    without_namespace: { ...SUBSCRIBE, allow_publish_for_client: true },
    namespaces: NAMESPACES,
  },
};

const configured = (extra: Config) => (): Config => mergeConfig(BASE, extra);

/** One server of each: as few as the rows allow, since a cluster of each has to start. */
export const CONFIGS = {
  main: configured({}),
  anonymous: configured({
    client: {
      allow_anonymous_connect_without_token: true,
      disallow_anonymous_connection_tokens: true,
      allowed_origins: ['*'],
    },
    rpc: { ping: { enabled: true } },
    http_api: { handler_prefix: '/x/' },
  }),
  insecure: configured({
    client: { insecure: true, concurrency: 8, allowed_origins: [] },
    http_api: { insecure: true, key: '', commercial_methods: false },
  }),
  /** Every delay as short as it may be. */
  timers: configured({
    client: {
      ping_interval: '1s',
      pong_timeout: '900ms',
      stale_close_delay: '1s',
      expired_close_delay: '1s',
      expired_sub_close_delay: '1s',
      presence_update_interval: '1s',
      connect_include_server_time: true,
    },
  }),
  limits: configured({
    client: {
      channel_limit: 3,
      user_connection_limit: 2,
      history_max_publication_limit: 5,
      recovery_max_publication_limit: 5,
    },
    websocket: { compression: true, message_size_limit: 1000 },
    http_api: { key: '', error_mode: 'transport' },
  }),
  personal: configured({
    client: { subscribe_to_user_personal_channel: { enabled: true }, user_id_http_header: 'X-User' },
  }),
  single: configured({
    client: {
      subscribe_to_user_personal_channel: { enabled: true, personal_channel_namespace: 'prs', single_connection: true },
      token: { audience: 'carillon', issuer: 'tests', hmac_previous_secret_key: 'old', user_id_claim: 'uid' },
      subscription_token: { enabled: true, hmac_secret_key: 'other' },
    },
  }),
  /** Limits and delays that are lifted by values below zero. */
  unlimited: configured({
    client: {
      channel_limit: -1,
      ping_interval: '-1ms',
      pong_timeout: '-1s',
      stale_close_delay: '-1s',
      history_max_publication_limit: -1,
    },
  }),
  proxies: (backend: string): Config => {
    const proxy = (path: string): Config => ({ endpoint: `${backend}/${path}`, timeout: '4s' });
    return mergeConfig(BASE, {
      client: {
        expired_sub_close_delay: '1s',
        presence_update_interval: '1s',
        proxy: { connect: { enabled: true, ...proxy('connect') }, refresh: { enabled: true, ...proxy('refresh') } },
      },
      rpc: {
        proxy: { ...proxy('rpc'), include_connection_meta: true },
        namespaces: [{ name: 'rpcns', proxy_enabled: true }],
      },
      channel: {
        proxy: { subscribe: proxy('subscribe'), publish: proxy('publish'), sub_refresh: proxy('sub_refresh') },
        namespaces: [
          {
            name: 'px',
            ...SUBSCRIBE,
            subscribe_proxy_enabled: true,
            allow_user_limited_channels: true,
            presence: true,
            allow_presence_for_client: true,
          },
          { name: 'pp', ...OPEN, publish_proxy_enabled: true },
          { name: 'psr', ...SUBSCRIBE, presence: true, sub_refresh_proxy_enabled: true },
        ],
      },
    });
  },
} satisfies Record<string, (backend: string) => Config>;

export type ConfigName = keyof typeof CONFIGS;
