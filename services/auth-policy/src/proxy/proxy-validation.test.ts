import { DEFAULT_CHANNEL_OPTIONS, DEFAULT_MAP_OPTIONS, type ChannelOptions } from '@carillon/protocol/channel';
import type { ChannelNamespace, NamedProxyConfig, ProxyConfig } from '@carillon/config';
import { createMetrics, createSilentLog, systemClock } from '@carillon/service-kit';
import { describe, expect, test } from 'vitest';

import { DEFAULT_PROXY, settingsFor } from '../fixture/decision-fixture.ts';
import { createPolicyMetrics } from '../metrics.ts';
import { createProxyRegistry } from './proxy-registry.ts';
import type { ProxySettings } from './proxy-settings.ts';
import { validateProxies } from './proxy-validation.ts';

const URL = 'http://127.0.0.1:1';

function settings(change: {
  namespace?: Partial<ChannelOptions>;
  proxies?: Partial<NamedProxyConfig>[];
  proxy?: Partial<ProxyConfig>;
  stream?: Partial<ProxyConfig>;
  rpc?: { proxyEnabled: boolean; proxyName: string };
}): ProxySettings {
  const base = settingsFor({ endpoint: URL, ...change.proxy });
  const namespace: ChannelNamespace = { ...DEFAULT_CHANNEL_OPTIONS, name: 'ns', ...change.namespace };
  const proxies = (change.proxies ?? []).map((proxy) => ({ ...DEFAULT_PROXY, name: 'one', endpoint: URL, ...proxy }));
  const subscribeStream = { ...DEFAULT_PROXY, endpoint: '127.0.0.1:1', ...change.stream };
  return {
    ...base,
    channel: { ...base.channel, namespaces: [namespace], proxy: { ...base.channel.proxy, subscribeStream } },
    rpc: { ...base.rpc, namespaces: change.rpc === undefined ? [] : [{ name: 'rpc', ...change.rpc }] },
    proxies,
  };
}

const transform = (error: number, disconnect: number, text = '') => ({
  http: {
    ...DEFAULT_PROXY.http,
    statusToCodeTransforms: [
      {
        statusCode: 404,
        toError: { code: error, message: text, temporary: false },
        toDisconnect: { code: disconnect, reason: '' },
      },
    ],
  },
});
const map = { ...DEFAULT_MAP_OPTIONS, publishProxyEnabled: true };

describe('a configuration is refused for', () => {
  test.each<[string, Parameters<typeof settings>[0], string]>([
    ['a name of one character', { proxies: [{ name: 'a' }] }, 'invalid name'],
    ['a name with a space', { proxies: [{ name: 'a b' }] }, 'invalid name'],
    ['the name default', { proxies: [{ name: 'default' }] }, '"default"'],
    ['a duplicate name', { proxies: [{}, {}] }, 'duplicate'],
    ['a named proxy without endpoint', { proxies: [{ endpoint: '' }] }, 'endpoint'],
    ['a named proxy without time-out', { proxies: [{ timeoutMs: 0 }] }, 'timeout'],
    ['an unknown name, though the switch is off', { namespace: { subscribeProxyName: 'zz' } }, 'unknown proxy "zz"'],
    ['an unknown name of a map proxy', { namespace: { map: { ...map, removeProxyName: 'zz' } } }, 'unknown proxy'],
    ['an unknown name of an rpc proxy', { rpc: { proxyEnabled: false, proxyName: 'zz' } }, 'unknown proxy "zz"'],
    ['a default without endpoint', { namespace: { subscribeProxyEnabled: true }, proxy: { endpoint: '' } }, 'endpoint'],
    ['a default without time-out', { namespace: { publishProxyEnabled: true }, proxy: { timeoutMs: 0 } }, 'timeout'],
    ['shared poll without endpoint', { namespace: { subscriptionType: 'shared_poll' } }, 'endpoint'],
    [
      'stream and subscribe proxy',
      { namespace: { subscribeStreamProxyEnabled: true, subscribeProxyEnabled: true } },
      'excludes',
    ],
    [
      'stream and publish proxy',
      { namespace: { subscribeStreamProxyEnabled: true, publishProxyEnabled: true } },
      'excludes',
    ],
    [
      'stream and sub_refresh proxy',
      { namespace: { subscribeStreamProxyEnabled: true, subRefreshProxyEnabled: true } },
      'excludes',
    ],
    ['a stream over HTTP', { namespace: { subscribeStreamProxyEnabled: true }, stream: { endpoint: URL } }, 'GRPC'],
    ['client_key and a map proxy', { namespace: { map: { ...map, clientKey: 'user_id' } } }, 'client_key'],
    ['a transform to neither', { proxy: transform(0, 0) }, 'exactly one'],
    ['a transform to both', { proxy: transform(404, 4000) }, 'exactly one'],
    ['a transform that is not ASCII', { proxy: transform(404, 0, 'é') }, 'ASCII'],
    ['a transform with a long text', { proxy: transform(404, 0, 'x'.repeat(124)) }, '123'],
  ])('%s', (_title, change, problem) => {
    const problems = validateProxies(settings(change));
    expect(problems.join('\n')).toContain(problem);
    const metrics = createPolicyMetrics(createMetrics({ prefix: '', withProcessMetrics: false }));
    const options = { settings: settings(change), clock: systemClock, log: createSilentLog(), metrics };
    expect(() => createProxyRegistry(options)).toThrow(expect.objectContaining({ code: 'proxy_config' }));
  });
});

test.each<[string, Parameters<typeof settings>[0]]>([
  ['nothing special', {}],
  ['a known name', { proxies: [{}], namespace: { subscribeProxyEnabled: true, subscribeProxyName: 'one' } }],
  ['a name that fits by its characters', { proxies: [{ name: 'a-B_0.' }] }],
  ['a stream over gRPC', { namespace: { subscribeStreamProxyEnabled: true } }],
  ['a transform to an error', { proxy: transform(404, 0, 'x'.repeat(123)) }],
  ['a transform to a disconnect', { proxy: transform(0, 4000) }],
])('a configuration with %s is accepted', (_title, change) => {
  expect(validateProxies(settings(change))).toEqual([]);
});

test.each([
  ['https://h/', 'http'],
  ['http://h/', 'http'],
  ['grpc://h:1', 'grpc'],
  ['h:1', 'grpc'],
])('endpoint %s is asked over %s', async (endpoint, protocol) => {
  const metrics = createMetrics({ prefix: '', withProcessMetrics: false });
  const registry = createProxyRegistry({
    settings: settingsFor({ endpoint, timeoutMs: 1 }),
    clock: systemClock,
    log: createSilentLog(),
    metrics: createPolicyMetrics(metrics),
  });
  const found = registry.find('rpc', 'default');
  const { decideRpc } = await import('../decision/decide-rpc.ts');
  const call = { method: decideRpc.method, message: {}, origin: { headers: new Map(), emulatedHeaders: {} } };
  await expect(found?.backend.call(call)).rejects.toThrow();
  expect((await metrics.render()).body).toContain(`centrifugo_proxy_errors{protocol="${protocol}"`);
  await registry.close();
});
