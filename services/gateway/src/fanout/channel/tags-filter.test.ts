import { describe, expect, it } from 'vitest';
import { TagsFilters } from './tags-filter.ts';

const NODE = {
  op: 'and',
  nodes: [
    { key: 'a', cmp: 'eq', val: '1' },
    { key: 'b', cmp: 'ex' },
  ],
};
const SAME = {
  op: 'and',
  nodes: [
    { key: 'b', cmp: 'ex' },
    { key: 'a', cmp: 'eq', val: '1' },
  ],
};

describe('filters of a channel', () => {
  it('that mean the same are one, until its last user lets it go', () => {
    const filters = new TagsFilters();
    const filter = filters.acquire(NODE);
    expect(filters.acquire(SAME)).toBe(filter);
    expect(filters.acquire({ key: 'a', cmp: 'ex' })).not.toBe(filter);
    expect(filters.size).toBe(2);
    filters.release(filter);
    expect(filters.acquire(NODE)).toBe(filter);
    filters.release(filter);
    filters.release(filter);
    expect(filters.size).toBe(1);
  });

  it('look at a publication once, whoever asks', () => {
    const filter = new TagsFilters().acquire(NODE);
    let looks = 0;
    const tags = {
      b: '',
      get a() {
        looks += 1;
        return '1';
      },
    };
    expect([filter.passes({ tags }, 1), filter.passes({ tags }, 1)]).toEqual([true, true]);
    expect(looks).toBe(1);
    expect(filter.passes({}, 2)).toBe(false);
    expect(filter.passes({ tags }, 3)).toBe(true);
  });
});
