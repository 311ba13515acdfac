import { createMetrics, createSilentLog, FakeClock, OperationalError } from '@carillon/service-kit';
import { describe, expect, test } from 'vitest';

import { decideRpc } from '../decision/decide-rpc.ts';
import { NO_ORIGIN } from '../fixture/decision-fixture.ts';
import { createPolicyMetrics } from '../metrics.ts';
import type { Backend } from './backend.ts';
import { createGuardedBackend, type BackendLimits } from './guarded-backend.ts';

function start(exchange: () => Promise<object>, limits: Partial<BackendLimits> = {}) {
  const clock = new FakeClock();
  const metrics = createMetrics({ prefix: '', withProcessMetrics: false });
  const seen = { exchanges: 0, resets: 0 };
  const backend: Backend = {
    protocol: 'http',
    exchange: async () => {
      seen.exchanges += 1;
      return exchange();
    },
    reset: () => void (seen.resets += 1),
    close: async () => undefined,
  };
  const guarded = createGuardedBackend({
    endpointName: 'e',
    proxyName: 'default',
    backend,
    timeoutMs: 1_000,
    limits: { maxInFlight: 1, maxWaiting: 1, failureThreshold: 2, openMs: 500, ...limits },
    clock,
    log: createSilentLog(),
    metrics: createPolicyMetrics(metrics),
  });
  const call = () => guarded.call({ method: decideRpc.method, message: {}, origin: NO_ORIGIN });
  const outcome = () =>
    call().then(
      () => 'ok',
      (error: OperationalError) => error.code,
    );
  return { clock, seen, call, outcome, rendered: async () => (await metrics.render()).body };
}

const fails = (code: string) => () => Promise.reject(new OperationalError(code, 'x'));

describe('the circuit', () => {
  test.each(['proxy_unreachable', 'proxy_timeout'])('opens after consecutive %s and fails fast', async (code) => {
    const { seen, outcome, rendered } = start(fails(code));
    expect([await outcome(), await outcome(), await outcome()]).toEqual([code, code, 'proxy_circuit_open']);
    expect(seen).toEqual({ exchanges: 2, resets: 1 });
    expect(await rendered()).toContain('carillon_auth_policy_circuit_state{endpoint="e"} 2');
  });

  test.each(['proxy_status', 'proxy_bad_reply', 'proxy_unencodable', 'proxy_grpc_status'])(
    'stays closed on %s: the backend is there',
    async (code) => {
      const { seen, outcome } = start(fails(code));
      for (let index = 0; index < 5; index++) expect(await outcome()).toBe(code);
      expect(seen.exchanges).toBe(5);
    },
  );

  test('closes again when a probe succeeds', async () => {
    let isUp = false;
    const { clock, outcome } = start(() => (isUp ? Promise.resolve({}) : fails('proxy_unreachable')()));
    await outcome();
    await outcome();
    isUp = true;
    expect(await outcome()).toBe('proxy_circuit_open');
    await clock.advance(500);
    expect(await outcome()).toBe('ok');
    expect(await outcome()).toBe('ok');
  });
});

test('the time-out covers the wait for a place, and nothing is left behind', async () => {
  const { clock, seen, outcome } = start(() => new Promise<object>(() => undefined));
  const [first, second, third] = [outcome(), outcome(), outcome()];
  expect(await third).toBe('proxy_overloaded');
  await clock.advance(1_000);
  expect([await first, await second]).toEqual(['proxy_timeout', 'proxy_timeout']);
  expect(seen.exchanges).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});
