import type { NamedProxyConfig } from '@carillon/config';
import { createMetrics, createSilentLog, systemClock } from '@carillon/service-kit';
import { expect, test, vi } from 'vitest';

import { decideRpc } from '../decision/decide-rpc.ts';
import { DEFAULT_PROXY, NO_ORIGIN, settingsFor } from '../fixture/decision-fixture.ts';
import { startHttpFixture } from '../fixture/http-fixture.ts';
import { createPolicyMetrics } from '../metrics.ts';
import { createProxyRegistry } from './proxy-registry.ts';
import type { ProxySettings } from './proxy-settings.ts';

function registryOf(settings: ProxySettings) {
  const metrics = createMetrics({ prefix: '', withProcessMetrics: false });
  const registry = createProxyRegistry({
    settings,
    clock: systemClock,
    log: createSilentLog(),
    metrics: createPolicyMetrics(metrics),
  });
  return { registry, rendered: async () => (await metrics.render()).body };
}

const named = (proxy: Partial<NamedProxyConfig>): ProxySettings => ({
  ...settingsFor({ endpoint: '' }),
  proxies: [{ ...DEFAULT_PROXY, name: 'one', endpoint: 'http://127.0.0.1:1', ...proxy }],
});

test.each([
  ['https://127.0.0.1:1/', 'http'],
  ['http://127.0.0.1:1/', 'http'],
  ['grpc://127.0.0.1:1', 'grpc'],
  ['127.0.0.1:1', 'grpc'],
])('endpoint %s is asked over %s', async (endpoint, protocol) => {
  const { registry, rendered } = registryOf(settingsFor({ endpoint }));
  const call = registry.find('rpc', 'default')?.backend.call({
    method: decideRpc.method,
    message: {},
    origin: NO_ORIGIN,
  });
  await expect(call).rejects.toMatchObject({ code: 'proxy_unreachable' });
  expect(await rendered()).toContain(`carillon_proxy_errors{protocol="${protocol}",type="rpc",name="default"} 1`);
  await registry.close();
});

test('a named proxy serves every kind of event, a default one its own', async () => {
  const settings = named({});
  const rpc = { ...settings.rpc, proxy: { ...DEFAULT_PROXY, endpoint: 'http://127.0.0.1:2' } };
  const { registry } = registryOf({ ...settings, rpc });
  expect(registry.find('subscribe', 'one')).toBe(registry.find('publish', 'one'));
  expect(registry.find('rpc', 'default')?.options.endpoint).toBe('http://127.0.0.1:2');
  expect(registry.find('publish', 'default')).toBeUndefined();
  expect(registry.find('rpc', 'other')).toBeUndefined();
  await registry.close();
});

test.each([
  ['no endpoint', { endpoint: '' }],
  ['no timeout', { timeoutMs: 0 }],
  ['no URL', { endpoint: 'http://[' }],
])('a proxy with %s cannot be opened', (_title, proxy) => {
  expect(() => registryOf(named(proxy))).toThrow(expect.objectContaining({ code: 'proxy_config' }));
});

test('thousands of clients that come at once wait for their turn, within the time-out', async () => {
  const numCalls = 4_000;
  // Answers nothing: whoever fails fails for want of a place.
  const fixture = await startHttpFixture(() => undefined);
  const { registry } = registryOf(settingsFor({ endpoint: fixture.url, timeoutMs: 60_000 }));
  const failures: unknown[] = [];
  let isClosing = false;
  const call = async (): Promise<void> => {
    const question = { method: decideRpc.method, message: {}, origin: NO_ORIGIN };
    await registry.find('connect', 'default')?.backend.call(question);
  };
  const calls = Array.from({ length: numCalls }, () =>
    call().catch((error: unknown) => {
      if (!isClosing) failures.push(error);
    }),
  );
  await vi.waitFor(() => expect(fixture.requests).not.toHaveLength(0), { timeout: 10_000 });
  expect(failures).toEqual([]);
  isClosing = true;
  await registry.close();
  await Promise.all(calls);
  await fixture.close();
});
