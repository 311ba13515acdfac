import { describe, expect, test } from 'vitest';

import { createCapabilities, NO_CAPABILITIES, type ChannelsCapability } from './capability.ts';

describe('one capability', () => {
  const rows: [string | undefined, string, string, boolean][] = [
    [undefined, 'news', 'news', true],
    ['', 'news', 'news', true],
    ['', 'news*', 'newsx', false],
    ['', 'news', 'new', false],
    ['wildcard', 'news:*', 'news:a/b:c', true],
    ['wildcard', 'news:*', 'news:', true],
    ['wildcard', 'news:?', 'news:a', true],
    ['wildcard', 'news:?', 'news:', false],
    ['wildcard', 'news:?', 'news:ab', false],
    ['wildcard', '?', '🔔', true],
    ['wildcard', 'a.c', 'abc', false],
    ['wildcard', '*', '', true],
    ['wildcard', 'news', 'xnewsx', false],
    ['regex', '^posts_[\\d]+$', 'posts_12', true],
    ['regex', '^posts_[\\d]+$', 'posts_x', false],
    ['regex', 'posts', 'my_posts_x', true],
    ['regex', '(', '(', false],
    ['regex', '(?=x)', 'x', false],
    ['doublestar', 'a/*/c', 'a/b/c', true],
    ['doublestar', 'a/*/c', 'a/b/b/c', false],
    ['doublestar', 'a/**/c', 'a/b/b/c', true],
    ['doublestar', 'a/**/c', 'a/c', true],
    ['doublestar', 'a/**', 'a/b/c', true],
    ['doublestar', 'a/?', 'a/b', true],
    ['doublestar', 'a?b', 'a/b', false],
    ['doublestar', 'a.*', 'a.b', true],
    ['doublestar', 'a.*', 'axb', false],
    ['doublestar', '**', 'a/b', true],
    ['glob', '*', 'x', false],
  ];
  test.each(rows)('match %s: %s against %s is %s', (match, pattern, channel, isGranted) => {
    const capabilities = createCapabilities([{ channels: [pattern], allow: ['sub'], match }]);
    expect(capabilities.allows('sub', channel)).toBe(isGranted);
  });
});

test('nothing is allowed but what the list names', () => {
  const capabilities = createCapabilities([{ channels: ['a'], allow: ['pub'] }]);
  expect(capabilities.allows('pub', 'a')).toBe(true);
  expect(capabilities.allows('sub', 'a')).toBe(false);
  expect(NO_CAPABILITIES.allows('sub', 'a')).toBe(false);
});

test('several objects for one channel are united, in any order', () => {
  const caps: ChannelsCapability[] = [
    { channels: ['news:*'], allow: ['sub'], match: 'wildcard' },
    { channels: ['news:1'], allow: ['pub'] },
    { channels: ['x'], allow: ['prs'], match: 'unheard of' },
  ];
  for (const order of [caps, caps.toReversed()]) {
    const capabilities = createCapabilities(order);
    expect(['sub', 'pub', 'hst', 'prs'].map((op) => capabilities.allows(op as 'sub', 'news:1'))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  }
});
