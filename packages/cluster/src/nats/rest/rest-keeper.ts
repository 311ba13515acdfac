// Publications expire long before epoch and offset do. A channel at rest gets a mark that says where it stands and lives as
// long as that must be known. One that goes on being published to needs none: its next record says the same.
import type { Clock, Log, TimerHandle } from '@carillon/service-kit';

export interface RestKeeperDependencies {
  readonly clock: Clock;
  readonly log: Log;
  /** Writes the mark unless the newest record is one. Rejects when it could not. */
  readonly rest: (channel: string, deadlineMs: number) => Promise<unknown>;
}

/** A channel is at rest when no other publication came for so long. It is marked within twice that; records live ten times that. */
export const REST_AFTER_MS: number = 60_000;
/** Channels that wait for their mark; beyond it the eldest get it at once. */
const MAX_WAITING = 100_000;
const TICK_MS = 1_000;
const MARKS_PER_TICK = 2_000;
const MARKS_AT_ONCE = 64;
const MARK_DEADLINE_MS = 5_000;

interface Waiting {
  /** Monotonic, ms. */
  publishedAt: number;
  readonly dueAt: number;
}

export class RestKeeper {
  readonly #deps: RestKeeperDependencies;
  /** In the order of `dueAt`, about. */
  readonly #waiting: Map<string, Waiting> = new Map();
  #timer: TimerHandle | undefined;
  #isMarking = false;
  #isClosed = false;

  constructor(deps: RestKeeperDependencies) {
    this.#deps = deps;
  }

  get numWaiting(): number {
    return this.#waiting.size;
  }

  /** A publication is the newest record of the channel, as of now. */
  note(channel: string): void {
    const now = this.#deps.clock.monotonic();
    const known = this.#waiting.get(channel);
    if (known !== undefined) {
      known.publishedAt = now;
      return;
    }
    this.#waiting.set(channel, { publishedAt: now, dueAt: now + REST_AFTER_MS });
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  #schedule(): void {
    if (this.#isClosed || this.#isMarking || this.#timer !== undefined || this.#waiting.size === 0) return;
    this.#timer = this.#deps.clock.setTimer(TICK_MS, () => {
      this.#timer = undefined;
      this.#isMarking = true;
      this.#markDue()
        .catch((error: unknown) => this.#deps.log.error('channels at rest were not marked', { error }))
        .finally(() => {
          this.#isMarking = false;
          this.#schedule();
        });
    });
    this.#timer.unref();
  }

  async #markDue(): Promise<void> {
    const due = this.#takeDue();
    for (let start = 0; start < due.length && !this.#isClosed; start += MARKS_AT_ONCE) {
      await Promise.all(due.slice(start, start + MARKS_AT_ONCE).map((channel) => this.#mark(channel)));
    }
  }

  #takeDue(): string[] {
    const now = this.#deps.clock.monotonic();
    const due: string[] = [];
    const moving: [string, Waiting][] = [];
    for (const [channel, { dueAt, publishedAt }] of this.#waiting) {
      const isCrowded = this.#waiting.size > MAX_WAITING;
      if (due.length >= MARKS_PER_TICK || (dueAt > now && !isCrowded)) break;
      this.#waiting.delete(channel);
      const restAt = publishedAt + REST_AFTER_MS;
      if (restAt <= now || isCrowded) due.push(channel);
      else moving.push([channel, { publishedAt, dueAt: restAt }]);
    }
    for (const [channel, waiting] of moving) this.#waiting.set(channel, waiting);
    return due;
  }

  async #mark(channel: string): Promise<void> {
    try {
      await this.#deps.rest(channel, MARK_DEADLINE_MS);
    } catch (error) {
      this.#deps.log.debug('a channel at rest was not marked yet', { channel, error });
      this.note(channel);
    }
  }
}
