import { describe, expect, it } from 'vitest';

import { Health } from './health.ts';
import { healthResponse } from './ops-response.ts';

describe('Health', () => {
  it('is well while no check gives a reason', () => {
    const health = new Health();
    health.add('nats', () => undefined);
    expect(health.report()).toEqual({ ok: true, reasons: [] });
    expect(healthResponse(health.report())).toEqual({ status: 200, contentType: 'application/json', body: '{}' });
  });

  it('names each check that fails', () => {
    const health = new Health();
    health.add('nats', () => 'disconnected');
    health.add('lifecycle', () => 'draining');
    health.add('disk', () => undefined);
    const response = healthResponse(health.report());
    expect(response.status).toBe(503);
    expect(JSON.parse(response.body)).toEqual({ reasons: ['nats: disconnected', 'lifecycle: draining'] });
    health.remove('nats');
    health.remove('lifecycle');
    expect(health.report().ok).toBe(true);
  });

  it('refuses a second check of the same name', () => {
    const health = new Health();
    health.add('nats', () => undefined);
    expect(() => health.add('nats', () => undefined)).toThrow('nats');
  });

  it('answers a liveness probe, which passes no report, with 200', () => {
    expect(healthResponse().status).toBe(200);
  });
});
