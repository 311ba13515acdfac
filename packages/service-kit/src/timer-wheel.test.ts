import { describe, expect, it } from 'vitest';

import { FakeClock } from './fake-clock.ts';
import { NOT_SCHEDULED, TimerWheel, WheelTimer } from './timer-wheel.ts';

function setUp(onDue: (name: string) => void = () => undefined, slots = 8) {
  const clock = new FakeClock();
  const due: [string, number][] = [];
  const wheel = new TimerWheel<WheelTimer<string>>({
    clock,
    tickMs: 10,
    slots,
    onDue: ({ owner }) => {
      due.push([owner, clock.monotonic()]);
      onDue(owner);
    },
  });
  return { clock, due, wheel };
}

describe('TimerWheel', () => {
  it('hands over an entry at the first tick after its delay, once, never early', () => {
    const { clock, due, wheel } = setUp();
    clock.advanceSync(3);
    wheel.schedule(new WheelTimer('a'), 25);
    clock.advanceSync(26);
    expect(due).toEqual([]);
    clock.advanceSync(100);
    expect(due).toEqual([['a', 30]]);
    expect(wheel.size).toBe(0);
  });

  it('keeps delays of several turns of the wheel', () => {
    const { clock, due, wheel } = setUp();
    wheel.schedule(new WheelTimer('far'), 1_000);
    clock.advanceSync(999);
    expect(due).toEqual([]);
    clock.advanceSync(1);
    expect(due).toEqual([['far', 1_000]]);
  });

  it('moves an entry that is scheduled again and forgets one that is cancelled', () => {
    const { clock, due, wheel } = setUp();
    const moved = new WheelTimer('moved');
    const gone = new WheelTimer('gone');
    wheel.schedule(moved, 10);
    wheel.schedule(gone, 10);
    wheel.schedule(moved, 50);
    expect(wheel.size).toBe(2);
    expect(wheel.cancel(gone)).toBe(true);
    expect(wheel.cancel(gone)).toBe(false);
    expect(gone.wheelSlot).toBe(NOT_SCHEDULED);
    clock.advanceSync(100);
    expect(due).toEqual([['moved', 50]]);
  });

  it('lets a handler cancel another entry that is due in the same tick', () => {
    const other = new WheelTimer('other');
    const { clock, due, wheel } = setUp(() => void wheel.cancel(other));
    wheel.schedule(new WheelTimer('first'), 10);
    wheel.schedule(other, 10);
    clock.advanceSync(50);
    expect(due).toEqual([['first', 10]]);
  });

  it('lets a handler schedule its own entry again, for the next tick at the soonest', () => {
    const entry = new WheelTimer('heartbeat');
    const { clock, due, wheel } = setUp(() => wheel.schedule(entry, 0));
    wheel.schedule(entry, 0);
    clock.advanceSync(30);
    expect(due.map(([, at]) => at)).toEqual([10, 20, 30]);
  });

  it('runs no timer while nothing is scheduled', () => {
    const { clock, due, wheel } = setUp();
    expect(clock.pendingTimers).toBe(0);
    const entry = new WheelTimer('a');
    wheel.schedule(entry, 10);
    expect(clock.pendingTimers).toBe(1);
    wheel.cancel(entry);
    clock.advanceSync(10_000);
    expect(clock.pendingTimers).toBe(0);
    wheel.schedule(entry, 10);
    clock.advanceSync(10);
    expect(due).toEqual([['a', 10_010]]);
  });

  it('finds everything that is due after a stall of many turns', () => {
    const clock = new FakeClock();
    const due: string[] = [];
    const wheel = new TimerWheel<WheelTimer<string>>({
      clock,
      tickMs: 10,
      slots: 4,
      onDue: ({ owner }) => due.push(owner),
    });
    wheel.schedule(new WheelTimer('long'), 500);
    wheel.schedule(new WheelTimer('short'), 20);
    wheel.schedule(new WheelTimer('later'), 2_000);
    // The event loop is blocked: time passes, and the timer of the wheel fires long after it was due.
    const fired = clock.setTimer.bind(clock);
    clock.setTimer = (ms, fn) => fired(ms + 1_000, fn);
    wheel.schedule(new WheelTimer('same turn'), 30);
    clock.advanceSync(10);
    clock.advanceSync(1_010);
    expect(due.toSorted()).toEqual(['long', 'same turn', 'short']);
    wheel.stop();
  });

  it('hands over the remaining entries on the next turn when a handler throws', () => {
    let hasThrown = false;
    const { clock, due, wheel } = setUp(() => {
      if (hasThrown) return;
      hasThrown = true;
      throw new Error('bug');
    });
    wheel.schedule(new WheelTimer('bad'), 10);
    wheel.schedule(new WheelTimer('good'), 10);
    expect(() => clock.advanceSync(10)).toThrow('bug');
    clock.advanceSync(10);
    expect(due).toEqual([
      ['bad', 10],
      ['good', 20],
    ]);
  });

  it('lets go of all entries when it stops, and takes no more', () => {
    const { clock, due, wheel } = setUp();
    const entry = new WheelTimer('a');
    wheel.schedule(entry, 10);
    wheel.stop();
    wheel.schedule(entry, 10);
    expect([wheel.size, entry.wheelSlot, clock.pendingTimers]).toEqual([0, NOT_SCHEDULED, 0]);
    clock.advanceSync(100);
    expect(due).toEqual([]);
  });

  it('stops from within a handler', () => {
    const { clock, due, wheel } = setUp(() => wheel.stop());
    wheel.schedule(new WheelTimer('a'), 10);
    wheel.schedule(new WheelTimer('b'), 10);
    clock.advanceSync(100);
    expect(due).toEqual([['a', 10]]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('refuses a tick or a number of slots that cannot work', () => {
    const make = (tickMs: number, slots: number) => () =>
      new TimerWheel<WheelTimer<string>>({ clock: new FakeClock(), tickMs, slots, onDue: () => undefined });
    expect(make(0, 8)).toThrow('tickMs');
    expect(make(10, 0)).toThrow('slots');
  });
});
