import { FakeClock } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { type Admission, type AdmissionOptions, createAdmission, type RefusalCause } from './admit.ts';

const admission = (options: Partial<AdmissionOptions>): Admission =>
  createAdmission({
    allowedOrigins: [],
    connectionLimit: 0,
    connectionRateLimit: 0,
    clock: new FakeClock(),
    observer: observerOf([]),
    ...options,
  });

function observerOf(refused: RefusalCause[]): AdmissionOptions['observer'] {
  return { onRefused: (cause) => void refused.push(cause), onEntered: () => undefined, onLeft: () => undefined };
}

describe('allowed origins', () => {
  it.each([
    [[], '', true],
    [[], 'https://a.com', false],
    [['*'], 'null', true],
    [['https://a.com'], 'https://A.com', true],
    [['HTTPS://A.com'], 'https://a.com', true],
    [['https://a.com'], 'https://a.com.evil.com', false],
    [['https://a.com'], 'https://a-com', false],
    [['https://*.a.com'], 'https://x.y.a.com', true],
    [['https://*.a.com'], 'https://a.com', false],
    [['http://localhost:300?'], 'http://localhost:3001', true],
    [['http://localhost:300?'], 'http://localhost:3000/', false],
    [['http://h[0-9]'], 'http://h7', true],
    [['http://h[!0-9]'], 'http://h7', false],
    [['http://{a,b}.com'], 'http://b.com', true],
    [['http://{a,b}.com'], 'http://c.com', false],
    [['http://a\\*.com'], 'http://ax.com', false],
    [['http://{a'], 'http://a', true],
    [['http://[a'], 'http://[a', true],
  ])('%j and origin %j: %s', (allowedOrigins, origin, isAllowed) => {
    expect(admission({ allowedOrigins }).isOriginAllowed(origin)).toBe(isAllowed);
  });
});

describe('limits', () => {
  it('let in as many connections as configured, and another when one leaves', () => {
    const refused: RefusalCause[] = [];
    const door = admission({ connectionLimit: 2, observer: observerOf(refused) });
    expect([door.enter('websocket'), door.enter('websocket'), door.mayTry()]).toEqual([true, true, false]);
    door.leave('websocket');
    expect([door.enter('websocket'), door.enter('websocket')]).toEqual([true, false]);
    expect(refused).toEqual(['connection_limit', 'connection_limit']);
  });

  it.each([0, -1])('of %i let in everybody', (limit) => {
    const door = admission({ connectionLimit: limit, connectionRateLimit: limit });
    expect([door.mayTry(), door.enter('websocket'), door.enter('websocket')]).toEqual([true, true, true]);
  });

  it('let in a burst, then one connection a second', async () => {
    const clock = new FakeClock();
    const refused: RefusalCause[] = [];
    const door = admission({ connectionRateLimit: 3, clock, observer: observerOf(refused) });
    expect([door.mayTry(), door.mayTry(), door.mayTry(), door.mayTry()]).toEqual([true, true, true, false]);
    await clock.advance(999);
    expect(door.mayTry()).toBe(false);
    await clock.advance(1);
    expect([door.mayTry(), door.mayTry()]).toEqual([true, false]);
    await clock.advance(60_000);
    expect([door.mayTry(), door.mayTry(), door.mayTry(), door.mayTry()]).toEqual([true, true, true, false]);
    expect(new Set(refused)).toEqual(new Set(['connection_rate_limit']));
  });

  it('are off at 0', () => {
    const open = admission({});
    for (let count = 0; count < 1000; count += 1) expect(open.mayTry() && open.enter('websocket')).toBe(true);
    expect(open.connections).toBe(1000);
  });
});
