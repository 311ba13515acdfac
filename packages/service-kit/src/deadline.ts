import { systemClock, type Clock } from './clock.ts';
import { OperationalError } from './operational-error.ts';

/**
 * Settles as `work` does, or rejects with a retriable `OperationalError` of the given code after `deadlineMs`.
 * Work given as a function gets a signal that aborts when the deadline passes. The timer is always cleared.
 * What late work still returns or throws is dropped.
 */
export async function withDeadline<T>(
  work: Promise<T> | ((signal: AbortSignal) => Promise<T> | T),
  deadlineMs: number,
  code: string,
  clock: Clock = systemClock,
): Promise<T> {
  const passed = Promise.withResolvers<never>();
  const abort = new AbortController();
  const timer = clock.setTimer(deadlineMs, () => {
    const error = new OperationalError(code, `not done within ${deadlineMs} ms`);
    passed.reject(error);
    abort.abort(error);
  });
  try {
    return await Promise.race([typeof work === 'function' ? work(abort.signal) : work, passed.promise]);
  } finally {
    timer.cancel();
  }
}
