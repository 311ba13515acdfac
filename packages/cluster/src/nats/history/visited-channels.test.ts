import type { Publication } from '@carillon/protocol/client';
import { expect, test } from 'vitest';
import { VisitedChannels } from './visited-channels.ts';

const EPOCH = 'e';
const MAX = 100;

function pages(from: number, to: number, bytes = 1): Publication[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({ offset: from + index, data: new Uint8Array(bytes) }));
}

type Range = readonly [from: number, to: number];

function keep(visited: VisitedChannels, channel: string, [from, to]: Range, bytes = 1): void {
  visited.keep(channel, { epoch: EPOCH, from, publications: pages(from, to, bytes), maxPublications: MAX });
}

function offsets(visited: VisitedChannels, channel: string, [from, to]: Range, epoch = EPOCH) {
  return visited.recent(channel, epoch, { from, to }, false)?.map(({ offset }) => offset);
}

test('what was read answers the next read of the same epoch', () => {
  const visited = new VisitedChannels();
  keep(visited, 'a', [3, 6]);
  expect(offsets(visited, 'a', [4, 6])).toEqual([4, 5, 6]);
  expect(offsets(visited, 'a', [2, 6])).toBeUndefined();
  expect(offsets(visited, 'a', [4, 7])).toBeUndefined();
  expect(offsets(visited, 'a', [4, 6], 'other')).toBeUndefined();
  expect(offsets(visited, 'b', [4, 6])).toBeUndefined();
});

test('only what came since is missing', () => {
  const visited = new VisitedChannels();
  keep(visited, 'a', [3, 6]);
  expect(visited.missing('a', EPOCH, { from: 4, to: 9 })).toEqual({ from: 7, to: 9 });
  expect(visited.missing('a', EPOCH, { from: 2, to: 9 })).toEqual({ from: 2, to: 9 });
  expect(visited.missing('a', EPOCH, { from: 7, to: 9 })).toEqual({ from: 7, to: 9 });
  expect(visited.missing('a', 'other', { from: 4, to: 9 })).toEqual({ from: 4, to: 9 });
  keep(visited, 'a', [7, 9]);
  expect(offsets(visited, 'a', [3, 9])).toEqual([3, 4, 5, 6, 7, 8, 9]);
});

test('older pages join what is there; of what does not fit together the newer stays', () => {
  const visited = new VisitedChannels();
  keep(visited, 'a', [10, 12]);
  keep(visited, 'a', [8, 10]);
  expect(offsets(visited, 'a', [8, 12])).toEqual([8, 9, 10, 11, 12]);
  keep(visited, 'a', [1, 3]);
  expect(offsets(visited, 'a', [8, 12])).toEqual([8, 9, 10, 11, 12]);
  keep(visited, 'a', [20, 21]);
  expect(offsets(visited, 'a', [20, 21])).toEqual([20, 21]);
  expect(offsets(visited, 'a', [8, 12])).toBeUndefined();
});

test('another epoch stands for the channel from then on', () => {
  const visited = new VisitedChannels();
  keep(visited, 'a', [1, 3]);
  visited.keep('a', { epoch: 'new', from: 1, publications: pages(1, 1), maxPublications: MAX });
  expect(offsets(visited, 'a', [1, 1])).toBeUndefined();
  expect(offsets(visited, 'a', [1, 1], 'new')).toEqual([1]);
});

test('no more channels and bytes are held than may be, and those go that were used longest ago', () => {
  const few = new VisitedChannels({ maxChannels: 2 });
  for (const channel of ['a', 'b']) keep(few, channel, [1, 2]);
  expect(offsets(few, 'a', [1, 2])).toEqual([1, 2]);
  keep(few, 'c', [1, 2]);
  expect(['a', 'b', 'c'].map((channel) => offsets(few, channel, [1, 2]) !== undefined)).toEqual([true, false, true]);
  const small = new VisitedChannels({ maxBytes: 10_000 });
  for (const channel of ['a', 'b', 'c', 'd']) keep(small, channel, [1, 4], 1_000);
  expect(small.usedBytes).toBeLessThanOrEqual(10_000);
  expect(offsets(small, 'd', [4, 4])).toEqual([4]);
  expect(small.size).toBeLessThan(4);
});
