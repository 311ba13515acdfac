import { systemClock, type Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';
import type { Log } from './log/log.ts';
import { OperationalError } from './operational-error.ts';

export type LifecycleState = 'starting' | 'ready' | 'draining' | 'stopped';

/** Something with a life. Steps may be asynchronous: what they return is awaited. Those that are not given are skipped. */
export interface Resource {
  readonly name: string;
  /** Ready to be used when it settles. */
  readonly start?: (() => unknown) | undefined;
  /** Takes no new work and finishes what is under way; everything is still running. Within the drain deadline. */
  readonly drain?: ((signal: AbortSignal) => unknown) | undefined;
  /** Releases all it holds. Also called when its own start failed. */
  readonly stop?: (() => unknown) | undefined;
}

export interface LifecycleOptions {
  readonly log: Log;
  readonly clock?: Clock | undefined;
  /** For the start of each resource. Default: 30 s. */
  readonly startTimeoutMs?: number | undefined;
  /** For draining all resources together (`shutdown.timeout`). Default: 30 s. */
  readonly drainTimeoutMs?: number | undefined;
  /** For the stop of each resource. Default: 5 s. */
  readonly stopTimeoutMs?: number | undefined;
}

const DEFAULT_START_TIMEOUT_MS = 30_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;
const DEFAULT_STOP_TIMEOUT_MS = 5_000;

/**
 * Starts resources in the order in which they were added; drains all of them together; stops them in reverse order.
 * starting → ready → draining → stopped, each at most once; a failed start goes to stopped.
 */
export class Lifecycle {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #startTimeoutMs: number;
  readonly #drainTimeoutMs: number;
  readonly #stopTimeoutMs: number;
  readonly #resources: Resource[] = [];
  #touched = 0;
  #state: LifecycleState = 'starting';
  #stopping: Promise<void> | undefined = undefined;

  constructor(options: LifecycleOptions) {
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#startTimeoutMs = options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS;
    this.#drainTimeoutMs = options.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Fits `Health.add`: traffic is welcome in state ready alone. */
  readonly check: () => string | undefined = () => (this.#state === 'ready' ? undefined : this.#state);

  /** Before `start` only. */
  add(resource: Resource): void {
    if (this.#touched > 0 || this.#state !== 'starting') throw new Error(`${resource.name} was added after the start`);
    this.#resources.push(resource);
  }

  /**
   * Starts everything. If a resource fails, what was touched is stopped and the `OperationalError` `start_failed` names it.
   * A `stop` that comes in between ends the start early, with the code `start_interrupted`.
   */
  async start(): Promise<void> {
    for (const resource of this.#resources) {
      if (this.#stopping !== undefined) break;
      this.#touched += 1;
      try {
        await this.#run(() => resource.start?.(), this.#startTimeoutMs, 'start_timeout');
      } catch (cause) {
        await this.stop(`${resource.name} did not start`);
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new OperationalError('start_failed', `${resource.name} did not start: ${reason}`, { cause });
      }
    }
    if (this.#stopping !== undefined) throw new OperationalError('start_interrupted', 'stopped while starting');
    this.#state = 'ready';
  }

  /** Drains, then stops; never rejects. Calls after the first wait for the same end. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    this.#log.info('stopping', { reason });
    const touched = this.#resources.slice(0, this.#touched);
    if (this.#state === 'ready') {
      this.#state = 'draining';
      await Promise.all(touched.map((resource) => this.#drain(resource)));
    }
    this.#state = 'draining';
    for (const resource of touched.toReversed()) {
      await this.#attempt(`${resource.name} did not stop cleanly`, () =>
        this.#run(() => resource.stop?.(), this.#stopTimeoutMs, 'stop_timeout'),
      );
    }
    this.#state = 'stopped';
    this.#log.info('stopped');
  }

  #drain(resource: Resource): Promise<void> {
    return this.#attempt(`${resource.name} did not drain cleanly`, () =>
      this.#run((signal) => resource.drain?.(signal), this.#drainTimeoutMs, 'drain_timeout'),
    );
  }

  #run(step: (signal: AbortSignal) => unknown, deadlineMs: number, code: string): Promise<unknown> {
    return withDeadline((signal) => step(signal), deadlineMs, code, this.#clock);
  }

  /** Stopping goes on whatever a single resource does. */
  async #attempt(message: string, step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#log.error(message, { error });
    }
  }
}
