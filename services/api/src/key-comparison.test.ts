import { describe, expect, it } from 'vitest';
import { createKeyComparison } from './key-comparison.ts';

describe('keys', () => {
  it('may hold any character', () => {
    const key = 'ключ 鍵';
    expect(createKeyComparison(key)(key)).toBe(true);
    expect(createKeyComparison(key)('ключ 鍶')).toBe(false);
  });

  it('are compared whole, whatever was compared before', () => {
    const isKey = createKeyComparison('secret');
    const given = ['secre', 'secret', 'secrets', 'secreT', '', 'secret'];
    expect(given.map((text) => isKey(text))).toEqual([false, true, false, false, false, true]);
  });
});
