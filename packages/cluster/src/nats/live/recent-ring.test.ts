import { expect, test } from 'vitest';
import { RecentRing, RingBudget } from './recent-ring.ts';

const at = (offset: number, bytes = 1) => ({ offset, data: new Uint8Array(bytes) });
const offsets = (ring: RecentRing, from: number, to: number) => ring.slice({ from, to })?.map(({ offset }) => offset);

test('the newest are kept, and only whole ranges are given', () => {
  const ring = new RecentRing(new RingBudget(1e9));
  for (let offset = 1; offset <= 5; offset++) ring.append(offset, at(offset), 3);
  expect(offsets(ring, 3, 5)).toEqual([3, 4, 5]);
  expect(offsets(ring, 2, 5)).toBeUndefined();
  expect(offsets(ring, 4, 6)).toBeUndefined();
  expect(offsets(ring, 5, 4)).toEqual([]);
});

test('a hole empties the ring', () => {
  const ring = new RecentRing(new RingBudget(1e9));
  ring.append(1, at(1), 9);
  ring.append(5, at(5), 9);
  expect(offsets(ring, 5, 5)).toEqual([5]);
  expect(offsets(ring, 1, 5)).toBeUndefined();
});

test('older ones fit before the ring while there is room', () => {
  const ring = new RecentRing(new RingBudget(1e9));
  ring.append(5, at(5), 3);
  ring.prepend(1, [at(1), at(2), at(3), at(4)], 3);
  expect(offsets(ring, 3, 5)).toEqual([3, 4, 5]);
  ring.prepend(1, [at(1)], 9);
  expect(ring.first).toBe(3);
});

test('the budget of the node bounds all rings, but each keeps its newest', () => {
  const budget = new RingBudget(1_000);
  const rings = [new RecentRing(budget), new RecentRing(budget)];
  for (const ring of rings) for (let offset = 1; offset <= 5; offset++) ring.append(offset, at(offset, 300), 9);
  expect(rings.map((ring) => ring.end - ring.first)).toEqual([2, 1]);
  for (const ring of rings) ring.clear(1);
  expect(budget.usedBytes).toBe(0);
});

test('what is below the floor is forgotten', () => {
  const ring = new RecentRing(new RingBudget(1e9));
  for (let offset = 1; offset <= 3; offset++) ring.append(offset, at(offset), 9);
  ring.raiseFloor(3);
  expect(offsets(ring, 3, 3)).toEqual([3]);
  ring.raiseFloor(9);
  expect(ring.end).toBe(4);
});

test('the same range is the same list, forwards and backwards, until the ring loses some of it', () => {
  const ring = new RecentRing(new RingBudget(1e9));
  const range = { from: 2, to: 3 };
  for (let offset = 1; offset <= 4; offset++) ring.append(offset, at(offset), 4);
  const [list, reversed] = [ring.slice(range), ring.slice(range, true)];
  ring.append(5, at(5), 4);
  expect(ring.slice(range)).toBe(list);
  expect(ring.slice(range, true)).toBe(reversed);
  expect(reversed?.map(({ offset }) => offset)).toEqual([3, 2]);
  ring.append(6, at(6), 4);
  expect(ring.slice(range)).toBeUndefined();
  ring.clear(2);
  for (const offset of [2, 3]) ring.append(offset, at(offset), 4);
  expect(ring.slice(range)).toEqual(list);
  expect(ring.slice(range)).not.toBe(list);
});
