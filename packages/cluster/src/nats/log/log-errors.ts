// How an append fails.
import { OperationalError } from '@carillon/service-kit';

/** Nobody can tell whether it was stored. */
export function inDoubtError(): OperationalError {
  return new OperationalError('publish_in_doubt', 'the publication may be stored or not');
}

export function asReadError(error: unknown): OperationalError {
  return error instanceof OperationalError
    ? error
    : new OperationalError('log_read', 'the log could not be read', { cause: error, retriable: false });
}
