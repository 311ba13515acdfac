import type { Clock, Log, TimerHandle } from '@carillon/service-kit';

export type StopSignal = 'SIGTERM' | 'SIGINT';

/** One process, as its supervisor sees it. */
export interface Worker {
  signal(name: StopSignal | 'SIGHUP' | 'SIGKILL'): void;
}

export interface WorkerEvents {
  /** It takes clients. */
  onReady(): void;
  /** It is gone; called once. */
  onExit(reason: number | string): void;
}

export interface SuperviseWorkersOptions {
  readonly count: number;
  /** Starts the worker with this index, from 1. */
  readonly spawn: (index: number, events: WorkerEvents) => Worker;
  /** Longest time from a signal to stop to the end of a worker; then it is killed. */
  readonly stopTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once, when every worker takes clients. */
  readonly onReady: () => void;
}

/** The processes of one gateway on one machine. */
export interface Supervisor {
  /** Passes a signal on, once to each worker. One that stops them also ends all restarts. */
  signal(name: StopSignal | 'SIGHUP'): void;
  /** Settles when every worker is gone: 0 after an orderly stop, else 1. */
  readonly exited: Promise<number>;
}

/** Restarts in {@link RESTART_WINDOW_MS}, over all workers, before it is given up: something is wrong for good. */
export const MAX_RESTARTS = 10;
export const RESTART_WINDOW_MS = 60_000;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;
/** A worker that has been there for so long begins again with the shortest wait. */
const STEADY_MS = 30_000;

interface Place {
  readonly index: number;
  worker: Worker | undefined;
  startedAt: number;
  backoffMs: number;
  restart: TimerHandle | undefined;
  hasBeenReady: boolean;
}

/**
 * `starting`: a worker that ends before it was ready ends all: what is wrong (a port, the configuration, NATS) is wrong for
 * each. `running`: a worker that ends is started again. `stopping`: none is.
 */
type State = 'starting' | 'running' | 'stopping';

/** Runs workers until they are told to stop. */
export function superviseWorkers(options: SuperviseWorkersOptions): Supervisor {
  return new WorkerSupervisor(options);
}

class WorkerSupervisor implements Supervisor {
  readonly exited: Promise<number>;
  readonly #options: SuperviseWorkersOptions;
  readonly #places: readonly Place[];
  readonly #settle: (code: number) => void;
  #state: State = 'starting';
  #exitCode = 0;
  /** Times of the newest restarts; at most {@link MAX_RESTARTS}. */
  #restarts: number[] = [];
  #killTimer: TimerHandle | undefined = undefined;

  constructor(options: SuperviseWorkersOptions) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.exited = promise;
    this.#settle = resolve;
    this.#options = options;
    this.#places = Array.from({ length: options.count }, (_, at) => ({
      index: at + 1,
      worker: undefined,
      startedAt: 0,
      backoffMs: FIRST_BACKOFF_MS,
      restart: undefined,
      hasBeenReady: false,
    }));
    for (const place of this.#places) this.#start(place);
  }

  signal(name: StopSignal | 'SIGHUP'): void {
    if (name !== 'SIGHUP') this.#beginStop();
    for (const { worker } of this.#places) worker?.signal(name);
    this.#endIfAllGone();
  }

  #start(place: Place): void {
    const { spawn, clock } = this.#options;
    place.restart = undefined;
    place.startedAt = clock.monotonic();
    place.worker = spawn(place.index, {
      onReady: () => this.#ready(place),
      onExit: (reason) => this.#gone(place, reason),
    });
  }

  #ready(place: Place): void {
    place.hasBeenReady = true;
    if (this.#state !== 'starting' || !this.#places.every(({ hasBeenReady }) => hasBeenReady)) return;
    this.#state = 'running';
    this.#options.onReady();
  }

  #gone(place: Place, reason: number | string): void {
    const { log } = this.#options;
    place.worker = undefined;
    if (this.#state === 'stopping') {
      if (reason !== 0) this.#exitCode = 1;
      this.#endIfAllGone();
    } else if (!place.hasBeenReady) {
      this.#giveUp('a worker did not start', { worker: place.index, reason });
    } else {
      log.error('a worker ended', { worker: place.index, reason });
      this.#scheduleRestart(place);
    }
  }

  #scheduleRestart(place: Place): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    this.#restarts = this.#restarts.filter((at) => now - at < RESTART_WINDOW_MS);
    if (this.#restarts.length >= MAX_RESTARTS) {
      this.#giveUp('workers end again and again', { restarts: this.#restarts.length, windowMs: RESTART_WINDOW_MS });
      return;
    }
    this.#restarts.push(now);
    if (now - place.startedAt >= STEADY_MS) place.backoffMs = FIRST_BACKOFF_MS;
    place.restart = clock.setTimer(place.backoffMs, () => this.#start(place));
    place.backoffMs = Math.min(2 * place.backoffMs, MAX_BACKOFF_MS);
  }

  #giveUp(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.log.fatal(message, fields);
    this.#exitCode = 1;
    this.signal('SIGTERM');
  }

  #beginStop(): void {
    if (this.#state === 'stopping') return;
    this.#state = 'stopping';
    for (const place of this.#places) place.restart?.cancel();
    this.#killTimer = this.#options.clock.setTimer(this.#options.stopTimeoutMs, () => {
      this.#options.log.error('workers did not stop in time and are killed');
      for (const { worker } of this.#places) worker?.signal('SIGKILL');
    });
  }

  #endIfAllGone(): void {
    if (this.#state !== 'stopping' || this.#places.some(({ worker }) => worker !== undefined)) return;
    this.#killTimer?.cancel();
    this.#settle(this.#exitCode);
  }
}
