import { describe, expect, it } from 'vitest';

import { FakeClock } from './fake-clock.ts';
import { Lifecycle, type Resource } from './lifecycle.ts';
import { createSilentLog } from './log/log.ts';

function setUp() {
  const clock = new FakeClock();
  const events: string[] = [];
  const lifecycle = new Lifecycle({
    log: createSilentLog(),
    clock,
    startTimeoutMs: 50,
    drainTimeoutMs: 100,
    stopTimeoutMs: 10,
  });
  const resource = (name: string, steps: Partial<Resource> = {}): Resource => ({
    name,
    start: () => void events.push(`start ${name}`),
    drain: () => void events.push(`drain ${name}`),
    stop: () => void events.push(`stop ${name}`),
    ...steps,
  });
  return { clock, events, lifecycle, resource };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('Lifecycle', () => {
  it('starts in order, drains all, stops in reverse order', async () => {
    const { events, lifecycle, resource } = setUp();
    lifecycle.add(resource('nats'));
    lifecycle.add(resource('http'));
    expect([lifecycle.state, lifecycle.check()]).toEqual(['starting', 'starting']);
    await lifecycle.start();
    expect([lifecycle.state, lifecycle.check()]).toEqual(['ready', undefined]);
    await lifecycle.stop('SIGTERM');
    expect(lifecycle.state).toBe('stopped');
    expect(events).toEqual(['start nats', 'start http', 'drain nats', 'drain http', 'stop http', 'stop nats']);
  });

  it('is draining, and not ready, until everything has drained', async () => {
    const { events, lifecycle, resource } = setUp();
    const drained = Promise.withResolvers<void>();
    lifecycle.add(resource('http', { drain: () => drained.promise }));
    await lifecycle.start();
    const stopped = lifecycle.stop('SIGTERM');
    expect([lifecycle.state, lifecycle.check()]).toEqual(['draining', 'draining']);
    expect(events).not.toContain('stop http');
    drained.resolve();
    await stopped;
    expect(events).toContain('stop http');
  });

  it('stops what was started, and what failed, when a start fails', async () => {
    const { events, lifecycle, resource } = setUp();
    lifecycle.add(resource('nats'));
    lifecycle.add(resource('http', { start: () => Promise.reject(new Error('port taken')) }));
    lifecycle.add(resource('never'));
    await expect(lifecycle.start()).rejects.toMatchObject({
      code: 'start_failed',
      message: 'http did not start: port taken',
    });
    expect(events).toEqual(['start nats', 'stop http', 'stop nats']);
    expect(lifecycle.state).toBe('stopped');
  });

  it('gives a start its deadline', async () => {
    const { clock, lifecycle, resource } = setUp();
    lifecycle.add(resource('nats', { start: never }));
    const outcome = lifecycle.start().catch((error: unknown) => error);
    await clock.advance(50);
    expect(await outcome).toMatchObject({ code: 'start_failed', cause: { code: 'start_timeout' } });
  });

  it('stops on although a resource hangs or throws while draining and stopping', async () => {
    const { clock, events, lifecycle, resource } = setUp();
    lifecycle.add(resource('a'));
    let signal: AbortSignal | undefined;
    const drain = (given: AbortSignal): Promise<never> => {
      signal = given;
      return never();
    };
    lifecycle.add(resource('hangs', { drain, stop: never }));
    const fail = (): never => {
      throw new Error('broken');
    };
    lifecycle.add(resource('throws', { drain: fail, stop: fail }));
    await lifecycle.start();
    const stopped = lifecycle.stop('SIGTERM');
    await clock.advance(99);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(signal?.aborted).toBe(true);
    await clock.advance(10);
    await stopped;
    expect(events.slice(-1)).toEqual(['stop a']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops once, whoever asks', async () => {
    const { events, lifecycle, resource } = setUp();
    lifecycle.add(resource('a'));
    await lifecycle.start();
    await Promise.all([lifecycle.stop('one'), lifecycle.stop('two')]);
    expect(events.filter((event) => event === 'stop a')).toHaveLength(1);
  });

  it('ends a start that a stop interrupts', async () => {
    const { events, lifecycle, resource } = setUp();
    const slow = Promise.withResolvers<void>();
    lifecycle.add(resource('slow', { start: () => slow.promise }));
    lifecycle.add(resource('next'));
    const outcome = lifecycle.start().catch((error: unknown) => error);
    const stopped = lifecycle.stop('SIGTERM');
    slow.resolve();
    expect(await outcome).toMatchObject({ code: 'start_interrupted' });
    await stopped;
    expect(events).toEqual(['stop slow']);
    expect(lifecycle.state).toBe('stopped');
  });

  it('takes no resource after the start', async () => {
    const { lifecycle, resource } = setUp();
    lifecycle.add(resource('a'));
    await lifecycle.start();
    expect(() => lifecycle.add(resource('late'))).toThrow('late');
  });
});
