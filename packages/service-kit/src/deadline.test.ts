import { describe, expect, it } from 'vitest';

import { withDeadline } from './deadline.ts';
import { FakeClock } from './fake-clock.ts';
import { OperationalError } from './operational-error.ts';

describe('withDeadline', () => {
  it('gives what the work gives and leaves no timer behind', async () => {
    const clock = new FakeClock();
    await expect(withDeadline(Promise.resolve('done'), 100, 'late', clock)).resolves.toBe('done');
    await expect(withDeadline(() => Promise.reject(new Error('bad')), 100, 'late', clock)).rejects.toThrow('bad');
    await expect(
      withDeadline(
        () => {
          throw new Error('thrown');
        },
        100,
        'late',
        clock,
      ),
    ).rejects.toThrow('thrown');
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects with the code and aborts the work when the deadline passes', async () => {
    const clock = new FakeClock();
    let signal: AbortSignal | undefined;
    const outcome = withDeadline(
      (given) => {
        signal = given;
        return new Promise<never>(() => undefined);
      },
      100,
      'policy_timeout',
      clock,
    ).catch((error: unknown) => error);
    await clock.advance(99);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    const error = await outcome;
    expect(error).toBeInstanceOf(OperationalError);
    expect(error).toMatchObject({ code: 'policy_timeout', retriable: true });
    expect(signal?.reason).toBe(error);
  });

  it('drops what late work throws', async () => {
    const clock = new FakeClock();
    const late = Promise.withResolvers<string>();
    const outcome = withDeadline(late.promise, 10, 'late', clock).catch(() => 'timed out');
    await clock.advance(10);
    late.reject(new Error('an unhandled rejection would fail this run'));
    await expect(outcome).resolves.toBe('timed out');
    await clock.advance(0);
  });
});
