import type { HistoryPage } from '@carillon/cluster';
import { describe, expect, it } from 'vitest';
import { decideCacheRecovery, decideStreamRecovery } from './recover.ts';

function page(offsets: readonly number[], offset: number, epoch = 'e'): HistoryPage {
  return { publications: offsets.map((of) => ({ offset: of })), top: { offset, epoch } };
}

describe('stream recovery', () => {
  const rows: [string, { offset: number; epoch: string }, HistoryPage, boolean][] = [
    ['another epoch', { offset: 2, epoch: 'x' }, page([], 2), false],
    ['another epoch, although publications came', { offset: 1, epoch: 'x' }, page([2], 2), false],
    ['the exact top', { offset: 2, epoch: 'e' }, page([], 2), true],
    ['nothing retained below the top', { offset: 1, epoch: 'e' }, page([], 2), false],
    ['a position above the top', { offset: 3, epoch: 'e' }, page([], 2), false],
    ['everything missed is there', { offset: 2, epoch: 'e' }, page([3, 4, 5], 5), true],
    ['a gap at the head', { offset: 2, epoch: 'e' }, page([4, 5], 5), false],
    ['more than the limit missed', { offset: 2, epoch: 'e' }, page([3, 4], 5), false],
    ['a hole in the middle', { offset: 2, epoch: 'e' }, page([3, 5], 5), false],
    ['no epoch and everything from offset 1', { offset: 0, epoch: '' }, page([1, 2], 2), true],
    ['no epoch and an empty stream', { offset: 0, epoch: '' }, page([], 0), true],
  ];
  it.each(rows)('%s', (_title, from, read, isRecovered) => {
    expect(decideStreamRecovery(from, read)).toEqual({
      isRecovered,
      publications: isRecovered ? read.publications : [],
    });
  });
});

describe('cache recovery', () => {
  const even = ({ offset = 0 }: { offset?: number | undefined }): boolean => offset % 2 === 0;
  const none = (): boolean => false;
  const rows: [
    string,
    { offset: number; epoch: string } | undefined,
    HistoryPage,
    typeof even | undefined,
    boolean,
    number[],
  ][] = [
    ['an older position gets the latest', { offset: 1, epoch: 'e' }, page([5], 5), undefined, true, [5]],
    ['no position gets the latest', undefined, page([5], 5), undefined, true, [5]],
    ['the same position gets nothing', { offset: 5, epoch: 'e' }, page([5], 5), undefined, true, []],
    ['the same offset in another epoch gets the latest', { offset: 5, epoch: 'x' }, page([5], 5), undefined, true, [5]],
    ['a trimmed cache does not recover', { offset: 1, epoch: 'e' }, page([4], 5), undefined, false, []],
    ['an empty cache and the same position', { offset: 5, epoch: 'e' }, page([], 5), undefined, true, []],
    [
      'an empty cache and a new stream that the client knows',
      { offset: 0, epoch: 'e' },
      page([], 0),
      undefined,
      false,
      [],
    ],
    ['an empty cache and another position', { offset: 4, epoch: 'e' }, page([], 5), undefined, false, []],
    ['an empty cache and no position', undefined, page([], 5), undefined, false, []],
    ['a filter gets the newest match', { offset: 1, epoch: 'e' }, page([5, 4, 3, 2], 5), even, true, [4]],
    ['a filter without a match is an empty cache', { offset: 1, epoch: 'e' }, page([5, 4], 5), none, false, []],
    ['a filter without a match at the same position', { offset: 5, epoch: 'e' }, page([5, 4], 5), none, true, []],
  ];
  it.each(rows)('%s', (...row) => {
    const [, from, read, matches, isRecovered, offsets] = row;
    const decision = decideCacheRecovery(from, read, matches);
    expect(decision.isRecovered).toBe(isRecovered);
    expect(decision.publications.map(({ offset }) => offset)).toEqual(offsets);
  });
});
