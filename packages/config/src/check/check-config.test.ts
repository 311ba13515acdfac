import { describe, expect, test } from 'vitest';
import { loadValue } from '../load-fixture.ts';
import { ConfigError } from '../read/config-error.ts';

const ns = (options: object): object => ({ channel: { namespaces: [{ name: 'ns', ...options }] } });
const plain = (options: object): object => ({ channel: { without_namespace: options } });
const token = (options: object): object => ({ client: { token: options } });
const transform = (row: object): object => ({ rpc: { proxy: { http: { status_to_code_transforms: [row] } } } });
const PROXIES = [{ name: 'main', endpoint: 'http://a' }];

describe('a configuration is refused', () => {
  test.each([
    [ns({ name: 'x' }), 'channel.namespaces[0].name "x" does not match'],
    [ns({ name: 'a b' }), 'channel.namespaces[0].name'],
    [{ channel: { namespaces: [{ name: 'ab' }, { name: 'ab' }] } }, 'channel.namespaces[1].name "ab" is used twice'],
    [{ rpc: { namespaces: [{ name: 'a' }] } }, 'rpc.namespaces[0].name'],
    [{ proxies: [{ name: 'default', endpoint: 'x' }] }, 'proxies[0].name must not be "default"'],
    [{ proxies: [PROXIES[0], PROXIES[0]] }, 'proxies[1].name "main" is used twice'],
    [{ consumers: [{ name: 'a-b' }] }, 'consumers[0].name'],
    [ns({ history_size: 1 }), 'history_size and history_ttl must both be set'],
    [ns({ history_ttl: '1m' }), 'history_size and history_ttl must both be set'],
    [ns({ history_size: 1, history_ttl: '500ms' }), 'history_ttl must be whole seconds, and not negative'],
    [ns({ history_size: 1, history_ttl: '1500ms' }), 'history_ttl must be whole seconds, and not negative'],
    [
      ns({ history_size: 1, history_ttl: '1h', history_meta_ttl: '1m' }),
      'history_meta_ttl must not be below history_ttl',
    ],
    [ns({ force_recovery: true }), 'force_recovery needs history_size'],
    [ns({ force_recovery_mode: 'x' }), 'force_recovery_mode has the unknown value'],
    [ns({ auto_cache_recover: true }), 'auto_cache_recover needs force_recovery'],
    [ns({ allowed_delta_types: ['x'] }), 'allowed_delta_types has the unknown value'],
    [ns({ publication_data_format: 'x' }), 'publication_data_format has the unknown value'],
    [ns({ channel_regex: '(' }), 'channel_regex does not compile'],
    [ns({ channel_regex: '(?=a)' }), 'channel_regex does not compile'],
    [ns({ subscription_type: 'x' }), 'subscription_type has the unknown value'],
    [ns({ subscribe_proxy_name: 'gone' }), 'subscribe_proxy_name names "gone", which is no entry of proxies'],
    [ns({ publish_proxy_enabled: true }), 'channel.proxy.publish.endpoint must be set'],
    [{ client: { proxy: { connect: { enabled: true } } } }, 'client.proxy.connect.endpoint must be set'],
    [
      { client: { proxy: { connect: { enabled: true, endpoint: 'x', timeout: '-1s' } } } },
      'timeout must be above zero',
    ],
    [{ rpc: { without_namespace: { proxy_enabled: true } } }, 'rpc.proxy.endpoint must be set'],
    [{ rpc: { namespaces: [{ name: 'ab', proxy_name: 'x' }] } }, 'rpc.namespaces[0].proxy_name names "x"'],
    [{ proxies: [{ name: 'main' }] }, 'proxies[0].endpoint must be set'],
    [{ proxies: [{ name: 'main', endpoint: 'x', grpc_metadata: ['A'] }] }, 'grpc_metadata must be in lower case'],
    [
      { proxies: PROXIES, ...plain({ subscribe_stream_proxy_enabled: true, subscribe_stream_proxy_name: 'main' }) },
      'subscribe_stream_proxy_name needs a GRPC endpoint',
    ],
    [
      {
        proxies: [{ name: 'main', endpoint: 'grpc://a' }],
        ...plain({
          subscribe_stream_proxy_enabled: true,
          subscribe_stream_proxy_name: 'main',
          publish_proxy_enabled: true,
          publish_proxy_name: 'main',
        }),
      },
      'subscribe_stream_proxy_enabled excludes',
    ],
    [ns({ subscription_type: 'map' }), 'map.mode must be set'],
    [ns({ subscription_type: 'map', map: { mode: 'x' } }), 'map.mode has the unknown value'],
    [ns({ subscription_type: 'map', map: { mode: 'recoverable' } }), 'map.key_ttl must be set'],
    [ns({ subscription_type: 'map', map: { mode: 'persistent', key_ttl: '1m' } }), 'map.key_ttl must not be set'],
    [
      ns({ subscription_type: 'map', map: { mode: 'ephemeral', key_ttl: '1m', stream_size: 9 } }),
      'map.stream_size must not be set',
    ],
    [ns({ subscription_type: 'map_users', map: { mode: 'persistent' } }), 'map.mode persistent excludes'],
    [ns({ subscription_type: 'map', map: { mode: 'persistent', meta_ttl: '1s' } }), 'map.meta_ttl must not be below'],
    [ns({ subscription_type: 'map', map: { mode: 'persistent', min_page_size: 200 } }), 'page sizes must be in order'],
    [ns({ map: { client_key: 'x' } }), 'map.client_key has the unknown value'],
    [
      {
        proxies: PROXIES,
        ...ns({ map: { client_key: 'user_id', publish_proxy_enabled: true, publish_proxy_name: 'main' } }),
      },
      'map.client_key excludes the map proxies',
    ],
    [ns({ map: { remove_client_on_unsubscribe: true } }), 'remove_client_on_unsubscribe needs a map'],
    [ns({ map_clients_presence_channel_prefix: 'ns:' }), 'map_clients_presence_channel_prefix must lead to'],
    [ns({ subscription_type: 'shared_poll' }), 'shared_poll.hmac_secret_key'],
    [ns({ subscription_type: 'shared_poll', shared_poll: { publish_enabled: true } }), 'needs mode versioned'],
    [
      { client: { subscribe_to_user_personal_channel: { enabled: true, personal_channel_namespace: 'gone' } } },
      'personal_channel_namespace "gone" is no namespace',
    ],
    [
      { client: { subscribe_to_user_personal_channel: { enabled: true, single_connection: true } } },
      'single_connection needs presence',
    ],
    [transform({ to_error: { code: 1 } }), 'status_code must be set'],
    [transform({ status_code: 404 }), 'needs to_error.code or to_disconnect.code'],
    [transform({ status_code: 404, to_error: { code: 1 }, to_disconnect: { code: 2 } }), 'has both'],
    [transform({ status_code: 404, to_disconnect: { code: 4000, reason: 'ä' } }), 'reason must be ASCII'],
    [transform({ status_code: 404, to_error: { code: 1, message: 'x'.repeat(124) } }), 'longer than 123 bytes'],
    [token({ user_id_claim: 'user-id' }), 'client.token.user_id_claim must match'],
    [token({ audience: 'a', audience_regex: 'b' }), 'client.token.audience excludes audience_regex'],
    [token({ issuer: 'a', issuer_regex: 'b' }), 'client.token.issuer excludes issuer_regex'],
    [token({ issuer_regex: '(' }), 'client.token.issuer_regex does not compile'],
    [
      { client: { subscription_token: { enabled: true, issuer_regex: '(' } } },
      'client.subscription_token.issuer_regex',
    ],
    [token({ jwks_public_endpoint: 'ftp://x/j' }), 'must begin with http:// or https://'],
    [token({ jwks_public_endpoint: 'https://x/{{t}}/j', issuer_regex: '(?P<t>.+)' }), 'group t must list its values'],
    [
      token({ jwks_public_endpoint: 'https://x/{{t}}/j', issuer_regex: '(?P<t>[ab])' }),
      'must not hold character classes',
    ],
    [
      token({ jwks_public_endpoint: 'https://x/{{t}}/j', audience_regex: '\\w(?P<t>a)' }),
      'must not hold character classes',
    ],
    [{ client: { ping_interval: '8s', pong_timeout: '8s' } }, 'client.ping_interval must be above client.pong_timeout'],
    [{ http_server: { h2c_external: true } }, 'h2c_external needs a separate'],
    [{ gateway: { proxy_protocol: true }, http_server: { tls: { enabled: true } } }, 'proxy_protocol excludes'],
    [{ broker: { type: 'x' } }, 'broker.type has the unknown value'],
    [{ presence_manager: { type: 'x' } }, 'presence_manager.type has the unknown value'],
    [{ map_broker: { type: 'x' } }, 'map_broker.type has the unknown value'],
    [{ controller: { type: 'x' } }, 'controller.type has the unknown value'],
    [{ nats: { storage: 'x' } }, 'nats.storage has the unknown value'],
  ])('%j: %s', (value, message) => {
    expect(() => loadValue(value)).toThrow(ConfigError);
    expect(() => loadValue(value)).toThrow(message);
    expect(() => loadValue(value)).toThrow(/^config\.json/);
  });
});

describe('a configuration is accepted', () => {
  test.each([
    [
      ns({
        history_size: 1,
        history_ttl: '1s',
        force_recovery: true,
        force_recovery_mode: 'cache',
        auto_cache_recover: true,
      }),
    ],
    [ns({ channel_regex: '^[0-9]+$' })],
    [{ proxies: PROXIES, ...plain({ subscribe_proxy_enabled: true, subscribe_proxy_name: 'main' }) }],
    [ns({ subscription_type: 'map', map: { mode: 'ephemeral', key_ttl: '1m' } })],
    [ns({ subscription_type: 'map', map: { mode: 'persistent' } })],
    [transform({ status_code: 404, to_error: { code: 404, message: 'not found' } })],
    [token({ jwks_public_endpoint: 'https://x/{{t}}/j', issuer_regex: '^https://(?P<t>a|b)$' })],
    [
      token({
        jwks_public_endpoint: 'https://x/{{t}}/j',
        issuer_regex: '(?P<t>.+)',
        insecure_skip_jwks_endpoint_safety_check: true,
      }),
    ],
    [{ client: { subscription_token: { enabled: false, issuer: 'a', issuer_regex: 'b' } } }],
    [{ http_server: { h2c_external: true, internal_port: 9000 } }],
  ])('%j', (value) => {
    expect(loadValue(value).unknownKeys).toEqual([]);
  });
});

test('the message has the line of the key, also when it stands under an older name', () => {
  const text = { namespaces: [{ name: 'one' }, { name: 'two', history_size: 5 }] };
  expect(() => loadValue(text)).toThrow(/^config\.json:8: channel\.namespaces\[1\]\.history_size/);
});
