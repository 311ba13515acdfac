import { expect, test } from 'vitest';

import { ConcurrencyLimit } from './concurrency-limit.ts';

const never = new AbortController().signal;

test('runs so many, lets so many wait in order, and refuses the rest', async () => {
  const limit = new ConcurrencyLimit({ maxInFlight: 2, maxWaiting: 2 });
  const order: number[] = [];
  const ends: (() => void)[] = [];
  const run = (id: number) =>
    limit.run(() => {
      order.push(id);
      return new Promise<number>((resolve) => ends.push(() => resolve(id)));
    }, never);
  const runs = [run(1), run(2), run(3), run(4)];
  await expect(run(5)).rejects.toMatchObject({ code: 'proxy_overloaded' });
  expect({ inFlight: limit.inFlight, waiting: limit.waiting, order }).toEqual({
    inFlight: 2,
    waiting: 2,
    order: [1, 2],
  });
  for (let index = 0; index < 4; index++) {
    ends[index]?.();
    await runs[index];
    await Promise.resolve();
  }
  expect(order).toEqual([1, 2, 3, 4]);
  expect({ inFlight: limit.inFlight, waiting: limit.waiting }).toEqual({ inFlight: 0, waiting: 0 });
});

test('a caller that gives up while it waits leaves no trace', async () => {
  const limit = new ConcurrencyLimit({ maxInFlight: 1, maxWaiting: 1 });
  const held = Promise.withResolvers<void>();
  const first = limit.run(() => held.promise, never);
  const abort = new AbortController();
  const second = limit.run(async () => undefined, abort.signal);
  const reason = new Error('late');
  abort.abort(reason);
  await expect(second).rejects.toBe(reason);
  expect(limit.waiting).toBe(0);
  held.resolve();
  await first;
  expect(limit.inFlight).toBe(0);
  await expect(limit.run(async () => 'again', never)).resolves.toBe('again');
});

test('work that throws gives its place back', async () => {
  const limit = new ConcurrencyLimit({ maxInFlight: 1, maxWaiting: 0 });
  await expect(limit.run(async () => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
  expect(limit.inFlight).toBe(0);
});
