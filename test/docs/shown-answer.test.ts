import { describe, expect, it } from 'vitest';

import { comparable } from './shown-answer.ts';

describe('answers that a page shows', () => {
  it('may have other ids, epochs and times than those that come', () => {
    const shown = '{ "client": "c3726f42-9271-4210-adc9-b15c6571353c", "epoch": "VlgoPmMz", "uptime": 3 }';
    const got = '{"client":"9d748b2b-de32-4526-8f2f-906dc2d7b967","epoch":"QifAQITP","uptime":12}';
    expect(comparable('json', got)).toBe(comparable('json', shown));
  });

  it.each([
    ['another value', '{"offset":1}', '{"offset":2}'],
    ['another order', '{"a":1,"b":2}', '{"b":2,"a":1}'],
    ['a member more', '{"a":1}', '{"a":1,"b":2}'],
  ])('are different with %s', (_what, shown, got) => {
    expect(comparable('json', got)).not.toBe(comparable('json', shown));
  });

  it('are compared line by line where they are not JSON', () => {
    expect(comparable('text', 'one  \ntwo\n')).toBe('one\ntwo');
    expect(comparable('text', 'one\ntwo')).not.toBe(comparable('text', 'one two'));
  });
});
