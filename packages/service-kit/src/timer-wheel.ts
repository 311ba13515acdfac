import type { Clock, TimerHandle } from './clock.ts';

/**
 * What an object needs to sit in a wheel: its own links, so that scheduling allocates nothing.
 * The wheel alone writes the fields; an object is in at most one wheel at a time.
 */
export interface WheelEntry<E> {
  wheelNext: E | undefined;
  wheelPrevious: E | undefined;
  /** The list that holds the entry, or `NOT_SCHEDULED`. */
  wheelSlot: number;
  wheelDueTick: number;
}

export const NOT_SCHEDULED = -1;

/** A ready-made entry, for an owner that needs several timers (heartbeat and expiry): made once, scheduled often. */
export class WheelTimer<T> implements WheelEntry<WheelTimer<T>> {
  readonly owner: T;
  wheelNext: WheelTimer<T> | undefined = undefined;
  wheelPrevious: WheelTimer<T> | undefined = undefined;
  wheelSlot: number = NOT_SCHEDULED;
  wheelDueTick = 0;

  constructor(owner: T) {
    this.owner = owner;
  }
}

export interface TimerWheelOptions<E> {
  readonly clock: Clock;
  /** Resolution in milliseconds: an entry is due up to one tick late, never early. */
  readonly tickMs: number;
  /** Lists in the wheel. Delays beyond `tickMs * slots` are allowed and cost one look per turn. */
  readonly slots: number;
  /** Called with each entry that is due; it may schedule or cancel any entry, the due one too. */
  readonly onDue: (entry: E) => void;
}

/**
 * Timers for 10^5 to 10^6 entries (heartbeats, expiry) on one timer of the clock: schedule and cancel are O(1) and
 * allocate nothing. The clock's timer runs only while something is scheduled and never keeps the process alive.
 */
export class TimerWheel<E extends WheelEntry<E>> {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: number;
  readonly #onDue: (entry: E) => void;
  // One list per slot and a last one of entries that are due and not yet handled.
  readonly #heads: (E | undefined)[];
  readonly #tails: (E | undefined)[];
  readonly #startedAt: number;
  #tick = 0;
  #size = 0;
  #timer: TimerHandle | undefined = undefined;
  #isStopped = false;

  constructor({ clock, tickMs, slots, onDue }: TimerWheelOptions<E>) {
    if (!(tickMs > 0)) throw new RangeError('tickMs must be above zero');
    if (!Number.isInteger(slots) || slots < 1) throw new RangeError('slots must be a whole number above zero');
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#slots = slots;
    this.#onDue = onDue;
    this.#heads = Array.from({ length: slots + 1 }, () => undefined);
    this.#tails = Array.from({ length: slots + 1 }, () => undefined);
    this.#startedAt = clock.monotonic();
  }

  /** Entries that are scheduled. */
  get size(): number {
    return this.#size;
  }

  /** Schedules the entry, or moves it if it is scheduled already. A delay of zero or less means the next tick. */
  schedule(entry: E, delayMs: number): void {
    if (this.#isStopped) return;
    if (entry.wheelSlot !== NOT_SCHEDULED) this.cancel(entry);
    const elapsedMs = this.#clock.monotonic() - this.#startedAt;
    // An idle wheel has not been turning: catch up without visiting the slots, they are empty.
    if (this.#size === 0) this.#tick = Math.floor(elapsedMs / this.#tickMs);
    const dueTick = Math.max(this.#tick + 1, Math.ceil((elapsedMs + Math.max(0, delayMs)) / this.#tickMs));
    entry.wheelDueTick = dueTick;
    this.#append(entry, dueTick % this.#slots);
    this.#size += 1;
    if (this.#timer === undefined) this.#arm();
  }

  /** Takes the entry out; false if it was not scheduled. */
  cancel(entry: E): boolean {
    if (entry.wheelSlot === NOT_SCHEDULED) return false;
    this.#unlink(entry);
    this.#size -= 1;
    return true;
  }

  /** Takes all entries out and ends the wheel; scheduling afterwards does nothing. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (let slot = 0; slot <= this.#slots; slot += 1) {
      for (let entry = this.#heads[slot]; entry !== undefined; entry = this.#heads[slot]) this.cancel(entry);
    }
  }

  #arm(): void {
    const elapsedMs = this.#clock.monotonic() - this.#startedAt;
    this.#timer = this.#clock.setTimer((this.#tick + 1) * this.#tickMs - elapsedMs, () => this.#turn());
    this.#timer.unref();
  }

  #turn(): void {
    this.#timer = undefined;
    try {
      const target = Math.floor((this.#clock.monotonic() - this.#startedAt) / this.#tickMs);
      // After a long stall one look at each slot finds everything that is due.
      this.#tick = Math.max(this.#tick, target - this.#slots);
      this.#handleDue();
      while (this.#tick < target && this.#size > 0) {
        this.#tick += 1;
        this.#collectDue(this.#tick % this.#slots, this.#tick);
        this.#handleDue();
      }
    } finally {
      // Also after a handler threw: the remaining entries are due on the next turn.
      if (this.#size > 0 && this.#timer === undefined) this.#arm();
    }
  }

  #collectDue(slot: number, tick: number): void {
    let entry = this.#heads[slot];
    while (entry !== undefined) {
      const next: E | undefined = entry.wheelNext;
      if (entry.wheelDueTick <= tick) {
        this.#unlink(entry);
        this.#append(entry, this.#slots);
      }
      entry = next;
    }
  }

  #handleDue(): void {
    for (let entry = this.#heads[this.#slots]; entry !== undefined; entry = this.#heads[this.#slots]) {
      this.cancel(entry);
      this.#onDue(entry);
    }
  }

  #append(entry: E, slot: number): void {
    const tail = this.#tails[slot];
    entry.wheelSlot = slot;
    entry.wheelPrevious = tail;
    if (tail === undefined) this.#heads[slot] = entry;
    else tail.wheelNext = entry;
    this.#tails[slot] = entry;
  }

  #unlink(entry: E): void {
    const { wheelNext: next, wheelPrevious: previous, wheelSlot: slot } = entry;
    if (previous === undefined) this.#heads[slot] = next;
    else previous.wheelNext = next;
    if (next === undefined) this.#tails[slot] = previous;
    else next.wheelPrevious = previous;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
    entry.wheelSlot = NOT_SCHEDULED;
  }
}
