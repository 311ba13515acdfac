import { defaultConfig, type Config } from '@carillon/config';
import { createMetrics, createSilentLog, systemClock } from '@carillon/service-kit';
import { afterEach, expect, test } from 'vitest';

import { composeAuthPolicy, type AuthPolicy } from './compose.ts';
import { NO_ORIGIN } from './fixture/decision-fixture.ts';
import { answers, startHttpFixture } from './fixture/http-fixture.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

function compose(change: Partial<Config>): AuthPolicy {
  const base = defaultConfig();
  const config: Config = {
    ...base,
    authPolicy: { ...base.authPolicy, port: 0 },
    httpServer: { ...base.httpServer, port: 0, address: '127.0.0.1' },
    ...change,
  };
  const metrics = createMetrics({ prefix: 'carillon', withProcessMetrics: false });
  const policy = composeAuthPolicy({ config, log: createSilentLog(), clock: systemClock, metrics });
  opened.push(policy);
  return policy;
}

test('decides without being started, for a process that needs no hop', async () => {
  const backend = await startHttpFixture(answers({ result: { user: '42' } }));
  opened.push(backend);
  const { client } = defaultConfig();
  const connect = { ...client.proxy.connect, enabled: true, endpoint: backend.url };
  const { decisions } = compose({ client: { ...client, proxy: { ...client.proxy, connect } } });
  expect(await decisions.connect({ message: {}, proxyName: 'default', origin: NO_ORIGIN })).toMatchObject({
    kind: 'result',
    result: { user: '42' },
  });
});

test('asks the backends of a new configuration after a reload, and keeps the old ones if the new one is bad', async () => {
  const [first, second] = [
    await startHttpFixture(answers({ result: { data: 1 } })),
    await startHttpFixture(answers({ result: { data: 2 } })),
  ];
  opened.push(first, second);
  const base = defaultConfig();
  const withEndpoint = (endpoint: string) => ({ rpc: { ...base.rpc, proxy: { ...base.rpc.proxy, endpoint } } });
  const policy = compose(withEndpoint(first.url));
  const ask = async (): Promise<unknown> => {
    const decision = await policy.decisions.rpc({ message: {}, proxyName: 'default', origin: NO_ORIGIN });
    return decision.kind === 'result' ? new TextDecoder().decode(decision.result?.data) : decision;
  };
  expect(await ask()).toBe('1');
  policy.reload({ ...base, ...withEndpoint(second.url) });
  expect(await ask()).toBe('2');
  expect(() => policy.reload({ ...base, ...withEndpoint('http://[') })).toThrow();
  expect(await ask()).toBe('2');
});

test('tells probes that it is ready, and that it is not while it drains', async () => {
  const policy = compose({});
  const { opsPort, grpcPort } = await policy.start();
  expect(grpcPort).toBeGreaterThan(0);
  const get = (path: string) => fetch(`http://127.0.0.1:${opsPort}${path}`);
  expect((await get('/health')).status).toBe(200);
  expect(await (await get('/metrics')).text()).toContain('carillon_auth_policy_questions_in_flight 0');
  await policy.drain(new AbortController().signal);
  expect((await get('/health')).status).toBe(503);
});

test('refuses proxies that cannot work', () => {
  const { rpc } = defaultConfig();
  expect(() => compose({ rpc: { ...rpc, proxy: { ...rpc.proxy, endpoint: 'http://[' } } })).toThrow(
    expect.objectContaining({ code: 'proxy_config' }),
  );
});
