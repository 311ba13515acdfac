import { FakeClock } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { createHeartbeat, type Heartbeat, type HeartbeatOptions, spreadFirstPing } from './heartbeat.ts';

interface Fixture {
  readonly clock: FakeClock;
  readonly events: string[];
  readonly heartbeat: Heartbeat<string>;
}

function start(options: Partial<HeartbeatOptions<string>> = {}): Fixture {
  const clock = new FakeClock();
  const events: string[] = [];
  const log = (what: string): void => void events.push(`${Math.floor(clock.monotonic() / 100) / 10} ${what}`);
  const heartbeat = createHeartbeat<string>({
    clock,
    timing: () => ({ intervalMs: 25_000, pongTimeoutMs: 8000 }),
    firstPing: () => 0.5,
    expectsPong: () => true,
    onPing: (subject) => log(`ping ${subject}`),
    onPongTimeout: (subject) => log(`timeout ${subject}`),
    ...options,
  });
  return { clock, events, heartbeat };
}

describe('heartbeat', () => {
  it('pings first within the second half of the interval, whatever chance says', () => {
    expect(spreadFirstPing(() => 0)()).toBe(0.5);
    expect(spreadFirstPing(() => 0.999)()).toBeCloseTo(0.9995);
  });

  it('pings every interval after the first ping, however late the pong', async () => {
    const { clock, events, heartbeat } = start({ onPing: () => undefined });
    heartbeat.stop();
    const pings: number[] = [];
    const beating = createHeartbeat<string>({
      clock,
      timing: () => ({ intervalMs: 25_000, pongTimeoutMs: 8000 }),
      firstPing: () => 0.5,
      expectsPong: () => true,
      onPing: () => {
        pings.push(clock.monotonic());
        clock.setTimer(7000, () => expect(beating.pong('a')).toBe('ok'));
      },
      onPongTimeout: () => events.push('timeout'),
    });
    beating.add('a');
    await clock.advance(12_500 + 75_000);
    expect(pings.map((at) => Math.round(at / 500) * 500)).toEqual([12_500, 37_500, 62_500, 87_500]);
    expect(events).toEqual([]);
  });

  it('reports a missing pong once and forgets the connection', async () => {
    const { clock, events, heartbeat } = start();
    heartbeat.add('a');
    await clock.advance(100_000);
    expect(events).toEqual(['12.5 ping a', '20.5 timeout a']);
    expect(heartbeat.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes one pong for each ping', async () => {
    const roundTrips: number[] = [];
    const { clock, heartbeat } = start({ onPong: (_, ms) => roundTrips.push(ms) });
    heartbeat.add('a');
    expect(heartbeat.pong('a')).toBe('unexpected');
    await clock.advance(12_600);
    expect(heartbeat.pong('a')).toBe('ok');
    expect(heartbeat.pong('a')).toBe('unexpected');
    expect(roundTrips).toEqual([100]);
    await clock.advance(25_000);
    expect(heartbeat.pong('a')).toBe('ok');
  });

  it('pings those that cannot answer without waiting for them', async () => {
    const { clock, events, heartbeat } = start({ expectsPong: () => false });
    heartbeat.add('a');
    await clock.advance(40_000);
    expect(events).toEqual(['12.5 ping a', '37.5 ping a']);
    // compat: one may come nevertheless, where pongs are not asked for.
    expect(heartbeat.pong('a')).toBe('ok');
    expect(heartbeat.pong('a')).toBe('unexpected');
  });

  it('is quiet about connections that were removed, also by their own ping, and about unknown ones', async () => {
    const { clock, events, heartbeat } = start({
      onPing: (subject) => {
        events.push(subject);
        heartbeat.remove(subject);
      },
    });
    heartbeat.add('a');
    heartbeat.add('b');
    heartbeat.remove('b');
    heartbeat.remove('c');
    expect(heartbeat.pong('c')).toBe('unexpected');
    await clock.advance(100_000);
    expect(events).toEqual(['a']);
  });

  it('does nothing without an interval, and after it was stopped', async () => {
    const off = start({ timing: () => ({ intervalMs: 0, pongTimeoutMs: 0 }) });
    off.heartbeat.add('a');
    expect(off.heartbeat.size).toBe(0);
    const stopped = start();
    stopped.heartbeat.add('a');
    stopped.heartbeat.stop();
    await stopped.clock.advance(100_000);
    expect(stopped.events).toEqual([]);
  });
});
