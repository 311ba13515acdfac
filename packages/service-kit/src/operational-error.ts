export interface OperationalErrorOptions {
  readonly cause?: unknown;
  /** Whether the same attempt may succeed later. Default: true, since most such errors are outages. */
  readonly retriable?: boolean | undefined;
}

/**
 * A failure that is expected at run time (NATS away, a deadline passed, a port taken). Counted and retried within a bound.
 * Anything else that is thrown is a bug.
 */
export class OperationalError extends Error {
  override readonly name = 'OperationalError';
  /** Stable and snake_case: a metric label, a key of the operations guide. */
  readonly code: string;
  readonly retriable: boolean;

  constructor(code: string, message: string, { cause, retriable = true }: OperationalErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retriable = retriable;
  }
}
