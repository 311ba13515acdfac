import { OperationalError, type Clock, type Log } from '@carillon/service-kit';
import type { ReportFailure } from './to-error-body.ts';

const QUIET_MS = 1_000;

/** Writes what became error 100 to the log, one line a second at most: while NATS is away every request fails alike. */
export function createFailureLog({ log, clock }: { readonly log: Log; readonly clock: Clock }): ReportFailure {
  let quietUntil = Number.NEGATIVE_INFINITY;
  let unwritten = 0;
  return (error) => {
    const now = clock.monotonic();
    if (now < quietUntil) {
      unwritten += 1;
      return;
    }
    const fields = { error, unwritten };
    if (error instanceof OperationalError) log.warn('an API method failed', fields);
    else log.error('an API method failed', fields);
    quietUntil = now + QUIET_MS;
    unwritten = 0;
  };
}
