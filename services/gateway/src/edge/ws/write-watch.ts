import type { Clock, TimerHandle } from '@carillon/service-kit';

/** A connection whose client may stop to read. */
export interface WatchedWriter {
  /** How long what was written may wait without any of it being taken, ms. */
  readonly writeTimeoutMs: number;
  /** Bytes that the operating system has not taken yet. */
  readonly bufferedBytes: number;
  /** Nothing was taken for as long. Called once, in a turn of its own. */
  writeTimedOut(): void;
}

const TICK_MS = 250;
/** Topic messages leave no trace at their receivers: after such traffic everybody is looked at, a part per tick. */
const TICKS_PER_ROUND = 4;
/**
 * With more connections a round takes longer: looking at every idle connection every second would be a good part of all that
 * it costs. What waits is bounded by the queue limit all the while.
 */
export const MAX_LOOKS_PER_TICK = 1000;

/**
 * Finds clients that take nothing of what waits for them (`websocket.write_timeout`). uWebSockets.js has no time-out for
 * writes, and tells of a message that has to wait only where it is sent to one connection; so this asks, after topic traffic.
 */
export class WriteWatch {
  readonly #clock: Clock;
  readonly #all: Set<WatchedWriter> = new Set();
  /** Those with bytes that wait, and since when none was taken. */
  readonly #waiting: Map<WatchedWriter, number> = new Map();
  #hasTopicTraffic = false;
  #round: Iterator<WatchedWriter> | undefined = undefined;
  #timer: TimerHandle | undefined = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(writer: WatchedWriter): void {
    this.#all.add(writer);
    if (this.#timer === undefined) this.#schedule();
  }

  /** Idempotent. */
  remove(writer: WatchedWriter): void {
    this.#all.delete(writer);
    this.#waiting.delete(writer);
    if (this.#all.size === 0) this.stop();
  }

  /** A message to this one has to wait. */
  backedUp(writer: WatchedWriter): void {
    if (!this.#waiting.has(writer)) this.#waiting.set(writer, this.#clock.monotonic());
  }

  /** Some of what waits was taken. */
  progressed(writer: WatchedWriter): void {
    if (!this.#waiting.has(writer)) return;
    if (writer.bufferedBytes === 0) this.#waiting.delete(writer);
    else this.#waiting.set(writer, this.#clock.monotonic());
  }

  /** Topic messages went out, to whomever. */
  topicMessage(): void {
    this.#hasTopicTraffic = true;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(TICK_MS, () => {
      this.#schedule();
      this.#lookAtSome();
      this.#giveUpLate();
    });
    this.#timer.unref();
  }

  #lookAtSome(): void {
    if (this.#round === undefined && this.#hasTopicTraffic) {
      this.#hasTopicTraffic = false;
      this.#round = this.#all.values();
    }
    const round = this.#round;
    if (round === undefined) return;
    const count = Math.min(MAX_LOOKS_PER_TICK, Math.ceil(this.#all.size / TICKS_PER_ROUND));
    for (let seen = 0; seen < count; seen += 1) {
      const { value, done } = round.next();
      if (done === true) {
        this.#round = undefined;
        return;
      }
      if (value.bufferedBytes > 0) this.backedUp(value);
    }
  }

  #giveUpLate(): void {
    const now = this.#clock.monotonic();
    for (const [writer, since] of this.#waiting) {
      if (writer.bufferedBytes === 0) this.#waiting.delete(writer);
      else if (now - since >= writer.writeTimeoutMs) {
        this.#waiting.delete(writer);
        writer.writeTimedOut();
      }
    }
  }
}
