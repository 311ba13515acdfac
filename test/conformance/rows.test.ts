import { expect, it } from 'vitest';

import { KNOWN_GAPS } from './known-gaps.ts';
import { ROWS } from './rows/index.ts';

it('every row has an id of its own', () => {
  const ids = ROWS.map(({ id }) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
});

it('every known gap names a row and a reason', () => {
  const ids = new Set(ROWS.map(({ id }) => id));
  for (const { id, reason } of KNOWN_GAPS) {
    expect(ids).toContain(id);
    expect(reason).not.toBe('');
  }
});
