import type { Clock } from '@carillon/service-kit';

export type CircuitState = 'closed' | 'open' | 'half_open';

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** Consecutive failures that open it. */
  readonly failureThreshold: number;
  /** How long it stays open before one probe may pass. Short: recovery has to be noticed quickly. */
  readonly openMs: number;
  readonly onChange?: ((state: CircuitState, previous: CircuitState) => void) | undefined;
}

/**
 * Keeps callers from waiting on an endpoint that is away. closed: everything passes; open: nothing does; half_open: one
 * probe is under way, and its outcome decides. A success closes it from any state.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #state: CircuitState = 'closed';
  #failures = 0;
  #openedAt = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Whether a call may be made now. Whoever gets true reports the outcome with one of the three methods below. */
  tryEnter(): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'half_open') return false;
    if (this.#options.clock.monotonic() - this.#openedAt < this.#options.openMs) return false;
    this.#change('half_open');
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#change('closed');
  }

  failed(): void {
    this.#failures += 1;
    if (this.#state === 'half_open' || (this.#state === 'closed' && this.#failures >= this.#options.failureThreshold)) {
      this.#openedAt = this.#options.clock.monotonic();
      this.#change('open');
    }
  }

  /** The call never reached the endpoint, for a reason of our own: a probe is given back. */
  abandoned(): void {
    if (this.#state === 'half_open') this.#change('open');
  }

  #change(state: CircuitState): void {
    if (this.#state === state) return;
    const previous = this.#state;
    this.#state = state;
    this.#options.onChange?.(state, previous);
  }
}
