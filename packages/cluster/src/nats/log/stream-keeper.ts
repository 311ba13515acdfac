// Declares the streams again when they may be gone: after a reconnect (those in memory end with a server that has no
// peers), and when an append finds none.
import type { Clock, Log } from '@carillon/service-kit';

export interface StreamKeeperDependencies {
  readonly declare: (isCancelled: () => boolean) => Promise<void>;
  readonly onReconnect: (fn: () => void) => () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Appends that find no stream come in crowds. */
const MIN_INTERVAL_MS = 1_000;

export class StreamKeeper {
  readonly #deps: StreamKeeperDependencies;
  readonly #stopListening: () => void;
  #running: Promise<void> | undefined;
  #endedAt = -Infinity;
  #isClosed = false;

  constructor(deps: StreamKeeperDependencies) {
    this.#deps = deps;
    this.#stopListening = deps.onReconnect(() => {
      this.#endedAt = -Infinity;
      this.restore();
    });
  }

  restore(): void {
    const { clock, declare, log } = this.#deps;
    if (this.#isClosed || this.#running !== undefined || clock.monotonic() - this.#endedAt < MIN_INTERVAL_MS) return;
    this.#running = declare(() => this.#isClosed)
      .catch((error: unknown) => {
        if (!this.#isClosed) log.error('the streams of the channel log can not be declared', { error });
      })
      .finally(() => {
        this.#running = undefined;
        this.#endedAt = clock.monotonic();
      });
  }

  /** What still runs ends with its next question. */
  close(): void {
    this.#isClosed = true;
    this.#stopListening();
  }
}
