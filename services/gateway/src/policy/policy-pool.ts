import type { DecideReply } from '@carillon/protocol/cluster';
import type { Clock, Log } from '@carillon/service-kit';

import { PolicyInstance, type PolicyQuestion } from './policy-instance.ts';
import type { PolicyClientMetrics } from './policy-metrics.ts';

export interface PolicyPoolOptions {
  readonly addresses: readonly string[];
  readonly maxInFlight: number;
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly metrics: PolicyClientMetrics;
}

export type PolicyFailure = 'overloaded' | 'timeout' | 'lost' | 'no_instance';

/** While no instance is ready a question waits so long for one: enough for a restart to go by without errors. */
const MAX_WAIT_FOR_INSTANCE_MS = 1_000;

/**
 * The instances of auth-policy. A question goes to the ready one with the fewest in flight and to no other: nothing is
 * asked twice, since the backend may have acted already.
 */
export class PolicyPool {
  readonly #options: PolicyPoolOptions;
  readonly #instances: PolicyInstance[] = [];
  readonly #waiting: Set<() => void> = new Set();
  #inFlight = 0;
  #isClosed = false;

  constructor(options: PolicyPoolOptions) {
    this.#options = options;
    const onChange = (): void => this.#onChange();
    for (const address of options.addresses)
      this.#instances.push(new PolicyInstance({ ...options, address, onChange }));
  }

  get isReady(): boolean {
    return this.#pick() !== undefined;
  }

  /** Never rejects; done within the deadline. */
  async ask(question: PolicyQuestion): Promise<DecideReply | PolicyFailure> {
    const { maxInFlight, metrics } = this.#options;
    if (this.#inFlight >= maxInFlight) return this.#failed('overloaded');
    metrics.inFlight.set((this.#inFlight += 1));
    const outcome = await this.#exchange(question);
    metrics.inFlight.set((this.#inFlight -= 1));
    return typeof outcome === 'string' ? this.#failed(outcome) : outcome;
  }

  close(): void {
    this.#isClosed = true;
    for (const instance of this.#instances) instance.close();
    this.#wakeAll();
  }

  async #exchange(question: PolicyQuestion): Promise<DecideReply | PolicyFailure> {
    const { clock, deadlineMs } = this.#options;
    const startedAt = clock.monotonic();
    if (!this.isReady && !this.#isClosed) await this.#waitForInstance(Math.min(deadlineMs, MAX_WAIT_FOR_INSTANCE_MS));
    const instance = this.#isClosed ? undefined : this.#pick();
    if (instance === undefined) return 'no_instance';
    const remainingMs = deadlineMs - (clock.monotonic() - startedAt);
    return new Promise((resolve) => instance.ask(question, remainingMs, resolve));
  }

  #waitForInstance(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = this.#options.clock.setTimer(waitMs, wake);
      this.#waiting.add(wake);
    });
  }

  #pick(): PolicyInstance | undefined {
    let best: PolicyInstance | undefined;
    for (const instance of this.#instances) {
      if (instance.isReady && (best === undefined || instance.inFlight < best.inFlight)) best = instance;
    }
    return best;
  }

  #onChange(): void {
    const ready = this.#instances.filter((instance) => instance.isReady).length;
    this.#options.metrics.readyInstances.set(ready);
    if (ready > 0) this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }

  #failed(reason: PolicyFailure): PolicyFailure {
    this.#options.metrics.failure(reason).inc();
    return reason;
  }
}
