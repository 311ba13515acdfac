import type { Clock } from '@carillon/service-kit';

export interface SpreadOptions<Item> {
  readonly items: readonly Item[];
  /** Everything is done within this time, ms; 0 = at once. */
  readonly windowMs: number;
  readonly clock: Clock;
  /** Ends the waiting: what is left is done at once. */
  readonly signal?: AbortSignal | undefined;
  readonly act: (item: Item) => void;
}

const STEP_MS = 50;

/** Does something to many items evenly over a window, so that they do not all come back at once. */
export async function spreadOver<Item>({ items, windowMs, clock, signal, act }: SpreadOptions<Item>): Promise<void> {
  const steps = Math.max(1, Math.ceil(windowMs / STEP_MS));
  const perStep = Math.ceil(items.length / steps);
  for (let start = 0; start < items.length; start += perStep) {
    for (const item of items.slice(start, start + perStep)) act(item);
    if (start + perStep < items.length && signal?.aborted !== true) await wait(clock, STEP_MS);
  }
}

function wait(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(delayMs, resolve);
  });
}
