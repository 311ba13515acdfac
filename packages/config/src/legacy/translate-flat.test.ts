import { describe, expect, test } from 'vitest';
import { loadConfig } from '../load-config.ts';
import { loadValue } from '../load-fixture.ts';
import { NEEDS, OLDER_NAMES } from './older-names-fixture.ts';

describe('older names', () => {
  test.each(OLDER_NAMES)('%j has the effect of %s and warns', (old, newName, effect, expected) => {
    const extra = NEEDS[Object.keys(old)[0] ?? ''] ?? {};
    const { config, warnings, unknownKeys } = loadValue({ ...extra, ...old });
    expect(effect(config)).toEqual(expected);
    expect(unknownKeys).toEqual([]);
    const renames = warnings.filter((text) => text.includes('is an older name'));
    expect(renames).toHaveLength(Object.keys(old).length);
    expect(renames.join('\n')).toContain(newName);
    expect(renames.join('\n')).toMatch(/^config\.json:\d+: /m);
  });

  test('older names work in the environment, above the file whatever the spelling', () => {
    const env = {
      CENTRIFUGO_TOKEN_HMAC_SECRET_KEY: 'env',
      CENTRIFUGO_API_KEY: 'k',
      CENTRIFUGO_SSE: 'true',
      CENTRIFUGO_ENGINE: 'memory',
      CENTRIFUGO_HISTORY_LIFETIME: '60',
      CENTRIFUGO_HISTORY_SIZE: '1',
      CENTRIFUGO_NAMESPACES: '[{"name":"chat","publish":true}]',
    };
    const { config, warnings } = loadValue({ client: { token: { hmac_secret_key: 'file' } } }, { env });
    expect(config.client.token.hmacSecretKey).toBe('env');
    expect(config.httpApi.key).toBe('k');
    expect(config.sse.enabled).toBe(true);
    expect(config.channel.withoutNamespace.historyTtlMs).toBe(60_000);
    expect(config.channel.namespaces[0]?.allowPublishForClient).toBe(true);
    expect(warnings).toContain(
      'CENTRIFUGO_TOKEN_HMAC_SECRET_KEY: token_hmac_secret_key is an older name, use client.token.hmac_secret_key',
    );
  });

  test('a newer variable beats an older one', () => {
    const env = { CENTRIFUGO_TOKEN_HMAC_SECRET_KEY: 'old', CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: 'new' };
    expect(loadConfig({ env }).config.client.token.hmacSecretKey).toBe('new');
  });

  test('the newer of two spellings in a file wins, with a warning', () => {
    const { config, warnings } = loadValue({
      client: { token: { hmac_secret_key: 'new' } },
      token_hmac_secret_key: 'old',
    });
    expect(config.client.token.hmacSecretKey).toBe('new');
    expect(warnings[0]).toContain('; client.token.hmac_secret_key is set too and wins');
  });

  test('flat names and nested groups merge', () => {
    const { config } = loadValue({
      http_server: { port: 1 },
      address: '::1',
      token_audience: 'a',
      client: { insecure: true },
    });
    expect(config.httpServer).toMatchObject({ port: 1, address: '::1' });
    expect(config.client).toMatchObject({ insecure: true, token: { audience: 'a' } });
  });

  test('token_hmac_secret_key beats the still older secret', () => {
    const { config } = loadValue({ secret: 'first', token_hmac_secret_key: 'second' });
    expect(config.client.token.hmacSecretKey).toBe('second');
    expect(config.client.subscriptionToken.legacyClientClaim).toBe(true);
  });

  test('older options inside namespaces are understood in both places namespaces may stand', () => {
    const item = { name: 'chat', history_size: 2, history_lifetime: 30, recover: true, anonymous: true };
    for (const value of [{ namespaces: [item] }, { channel: { namespaces: [item] } }]) {
      const { config, warnings } = loadValue(value);
      expect(config.channel.namespaces[0]).toMatchObject({
        historyTtlMs: 30_000,
        forceRecovery: true,
        allowSubscribeForClient: true,
        allowSubscribeForAnonymous: true,
      });
      expect(warnings.filter((text) => text.includes('channel.namespaces[0].recover is an older name'))).toHaveLength(
        1,
      );
    }
  });

  test('granular proxies become named ones that are switched on', () => {
    const { config } = loadValue({
      granular_proxy_mode: true,
      proxies: [{ name: 'one', endpoint: 'http://a', static_http_headers: { x: 'y' } }],
      connect_proxy_name: 'one',
      rpc_proxy_name: 'one',
      publish_proxy_name: 'one',
      namespaces: [{ name: 'chat', subscribe_proxy_name: 'one' }],
      rpc_namespaces: [{ name: 'calls', rpc_proxy_name: 'one' }],
    });
    expect(config.client.proxy.connect).toMatchObject({ enabled: true, endpoint: 'http://a' });
    expect(config.client.proxy.connect.http.staticHeaders).toEqual({ x: 'y' });
    expect(config.client.proxy.refresh.enabled).toBe(false);
    expect(config.rpc.withoutNamespace).toEqual({ proxyEnabled: true, proxyName: 'one' });
    expect(config.rpc.namespaces[0]).toEqual({ name: 'calls', proxyEnabled: true, proxyName: 'one' });
    expect(config.channel.withoutNamespace.publishProxyEnabled).toBe(true);
    expect(config.channel.namespaces[0]).toMatchObject({ subscribeProxyEnabled: true, subscribeProxyName: 'one' });
  });

  test('without granular mode a proxy name switches nothing on', () => {
    const value = {
      proxies: [{ name: 'one', endpoint: 'x' }],
      channel: { without_namespace: { publish_proxy_name: 'one' } },
    };
    expect(loadValue(value).config.channel.withoutNamespace.publishProxyEnabled).toBe(false);
  });
});
