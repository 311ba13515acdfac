import { describe, expect, it } from 'vitest';

import { FakeClock } from './fake-clock.ts';

describe('FakeClock', () => {
  it('fires timers in order of due time, then of creation, each at its own time', async () => {
    const clock = new FakeClock();
    const fired: [string, number][] = [];
    const note = (name: string) => () => void fired.push([name, clock.monotonic()]);
    clock.setTimer(20, note('late'));
    clock.setTimer(10, note('first'));
    clock.setTimer(10, note('second'));
    await clock.advance(15);
    expect(fired).toEqual([
      ['first', 10],
      ['second', 10],
    ]);
    await clock.advance(5);
    expect(fired.at(-1)).toEqual(['late', 20]);
  });

  it('fires a timer that a promise sets on the way', async () => {
    const clock = new FakeClock();
    let isDone = false;
    const sleep = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(ms, resolve));
    const work = async (): Promise<void> => {
      await sleep(10);
      await sleep(10);
      isDone = true;
    };
    void work();
    await clock.advance(19);
    expect(isDone).toBe(false);
    await clock.advance(1);
    expect(isDone).toBe(true);
  });

  it('does not fire what was cancelled and counts what is pending', async () => {
    const clock = new FakeClock();
    const timer = clock.setTimer(1, () => expect.unreachable());
    clock.setTimer(5, () => undefined);
    timer.cancel();
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(2);
    expect(clock.pendingTimers).toBe(1);
  });

  it('moves wall clock and monotonic time together, and the wall clock alone when it jumps', () => {
    const clock = new FakeClock(1_000);
    clock.advanceSync(50);
    expect([clock.now(), clock.monotonic()]).toEqual([1_050, 50]);
    clock.jumpWallClock(5);
    expect([clock.now(), clock.monotonic()]).toEqual([5, 50]);
  });
});
