import { FakeClock } from '@carillon/service-kit';
import { expect, test } from 'vitest';

import type { ProxyRegistry } from './proxy-registry.ts';
import { createReplaceableRegistry } from './replaceable-registry.ts';

function registry(maxTimeoutMs: number): ProxyRegistry & { closes: number } {
  const fake = {
    closes: 0,
    maxTimeoutMs,
    find: () => undefined,
    close: async () => void (fake.closes += 1),
  };
  return fake;
}

test('a registry that was replaced is closed when its longest time-out is over', async () => {
  const clock = new FakeClock();
  const [first, second] = [registry(1_000), registry(0)];
  const replaceable = createReplaceableRegistry(first, clock);
  replaceable.replace(second);
  await clock.advance(999);
  expect(first.closes).toBe(0);
  await clock.advance(1);
  expect([first.closes, second.closes]).toEqual([1, 0]);
});

test('closing closes every registry once and leaves no timer', async () => {
  const clock = new FakeClock();
  const [first, second] = [registry(1_000), registry(0)];
  const replaceable = createReplaceableRegistry(first, clock);
  replaceable.replace(second);
  await replaceable.close();
  expect([first.closes, second.closes, clock.pendingTimers]).toEqual([1, 1, 0]);
});
