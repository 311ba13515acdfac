import type { Clock, TimerHandle } from './clock.ts';

interface FakeTimer {
  readonly dueAt: number;
  readonly fn: () => void;
}

/** 2025-01-01T00:00:00Z: an ordinary date, so that a test that confuses wall-clock and monotonic time fails. */
const DEFAULT_START_MS = 1_735_689_600_000;

/** Lets everything run that is ready to: all microtasks, those that they queue, and callbacks of finished I/O. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A clock for tests: time stands still until `advance` moves it. Timers fire in order of due time, then of creation. */
export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  readonly #timers: Set<FakeTimer> = new Set();

  constructor(startMs: number = DEFAULT_START_MS) {
    this.#wallMs = startMs;
  }

  now(): number {
    return this.#wallMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, fn: () => void): TimerHandle {
    const timer: FakeTimer = { dueAt: this.#monotonicMs + Math.max(0, delayMs), fn };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer), unref: () => undefined };
  }

  /** How many timers are pending: zero after everything under test has been closed. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves time on, firing what falls due on the way; promises settle before the first, between and after the timers. */
  async advance(ms: number): Promise<void> {
    const target = this.#monotonicMs + ms;
    await settle();
    for (let timer = this.#nextDue(target); timer !== undefined; timer = this.#nextDue(target)) {
      this.#fire(timer);
      await settle();
    }
    this.#moveTo(target);
  }

  /** As `advance`, without giving promises a chance to settle in between. */
  advanceSync(ms: number): void {
    const target = this.#monotonicMs + ms;
    for (let timer = this.#nextDue(target); timer !== undefined; timer = this.#nextDue(target)) this.#fire(timer);
    this.#moveTo(target);
  }

  /** Sets the wall clock alone, as an administrator or NTP would. */
  jumpWallClock(nowMs: number): void {
    this.#wallMs = nowMs;
  }

  #nextDue(target: number): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAt > target) continue;
      if (next === undefined || timer.dueAt < next.dueAt) next = timer;
    }
    return next;
  }

  #fire(timer: FakeTimer): void {
    this.#timers.delete(timer);
    this.#moveTo(timer.dueAt);
    timer.fn();
  }

  #moveTo(monotonicMs: number): void {
    const stepMs = Math.max(0, monotonicMs - this.#monotonicMs);
    this.#monotonicMs += stepMs;
    this.#wallMs += stepMs;
  }
}
