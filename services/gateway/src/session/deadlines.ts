import { type Clock, TimerWheel, WheelTimer } from '@carillon/service-kit';

/** One-shot deadlines of sessions: stale close, expiry and its grace. Many are set, few fire. */
export interface Deadlines {
  /** Calls `act` once, up to one tick (100 ms) after `delayMs`. */
  schedule(delayMs: number, act: () => void): Deadline;
  readonly size: number;
  stop(): void;
}

export interface Deadline {
  /** Harmless after the deadline has passed. */
  cancel(): void;
}

const TICK_MS = 100;
const SLOTS = 1024;

/** Deadlines may be a year away: longer waits are done in steps of a day. */
const MAX_STEP_MS = 86_400_000;

class ScheduledDeadline implements Deadline {
  readonly timer: WheelTimer<ScheduledDeadline>;
  readonly act: () => void;
  readonly #wheel: TimerWheel<WheelTimer<ScheduledDeadline>>;
  remainingMs: number;

  constructor(wheel: TimerWheel<WheelTimer<ScheduledDeadline>>, remainingMs: number, act: () => void) {
    this.timer = new WheelTimer<ScheduledDeadline>(this);
    this.act = act;
    this.#wheel = wheel;
    this.remainingMs = remainingMs;
  }

  /** Sets the next step; false when nothing remains. */
  advance(): boolean {
    if (this.remainingMs <= 0) return false;
    const stepMs = Math.min(this.remainingMs, MAX_STEP_MS);
    this.remainingMs -= stepMs;
    this.#wheel.schedule(this.timer, stepMs);
    return true;
  }

  cancel(): void {
    this.remainingMs = 0;
    this.#wheel.cancel(this.timer);
  }
}

export function createDeadlines(clock: Clock): Deadlines {
  const wheel = new TimerWheel<WheelTimer<ScheduledDeadline>>({
    clock,
    tickMs: TICK_MS,
    slots: SLOTS,
    onDue: ({ owner }) => {
      if (!owner.advance()) owner.act();
    },
  });
  return {
    schedule(delayMs, act) {
      const deadline = new ScheduledDeadline(wheel, Math.max(1, delayMs), act);
      deadline.advance();
      return deadline;
    },
    get size() {
      return wheel.size;
    },
    stop: () => wheel.stop(),
  };
}
