import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { systemClock } from './clock.ts';

const DAY_MS = 86_400_000;

describe('systemClock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('keeps a delay that is longer than Node timers can be', () => {
    const fn = vi.fn();
    systemClock.setTimer(60 * DAY_MS, fn);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(fn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fn).toHaveBeenCalledOnce();
  });

  it('cancels a long delay in its second half', () => {
    const fn = vi.fn();
    const timer = systemClock.setTimer(40 * DAY_MS, fn);
    vi.advanceTimersByTime(30 * DAY_MS);
    timer.cancel();
    vi.advanceTimersByTime(30 * DAY_MS);
    expect(fn).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('treats a delay below zero as zero', () => {
    const fn = vi.fn();
    systemClock.setTimer(-5, fn);
    vi.advanceTimersByTime(0);
    expect(fn).toHaveBeenCalledOnce();
  });
});
