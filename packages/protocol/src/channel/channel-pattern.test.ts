import { describe, expect, it } from 'vitest';
import { compileChannelPattern } from './channel-pattern.ts';

describe('the channel pattern of the channels method', () => {
  it.each([
    ['', 'anything', true],
    ['news*', 'news:1', true],
    ['news*', 'old', false],
    ['*', '', true],
    ['a**b', 'a/x:y/b', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[ab]x', 'bx', true],
    ['[!ab]x', 'bx', false],
    ['[a-c]1', 'b1', true],
    ['{a,bc}d', 'bcd', true],
    ['{a,bc}d', 'cd', false],
    ['{a', 'a', false],
    ['a,b', 'a,b', true],
    [String.raw`\*`, '*', true],
    [String.raw`\*`, 'x', false],
    ['a.b', 'aXb', false],
    ['a-b/c', 'a-b/c', true],
    // compat: only `!` negates, and a range is alone in its class.
    ['[^a]', '^', true],
    ['[^a]', 'b', false],
    ['[ab-z]', '-', true],
    ['[ab-z]', 'c', false],
    [String.raw`[\]a]`, ']', true],
    [String.raw`[\a]`, '\\', false],
    ['a\\', 'a', true],
  ])('%j on %j is %s', (pattern, channel, expected) => {
    expect(compileChannelPattern(pattern)?.(channel)).toBe(expected);
  });

  it('takes time that is bounded by the lengths of pattern and name', () => {
    const name = 'a'.repeat(255);
    for (const [pattern, expected] of [
      ['*a'.repeat(100) + 'b', false],
      ['*a'.repeat(100), true],
      ['{a,aa}'.repeat(150) + 'b', false],
      ['{a,aa}'.repeat(150), true],
      [`${'{'.repeat(100)}a*${'}'.repeat(100)}`, true],
    ] as const) {
      expect(compileChannelPattern(pattern)?.(name)).toBe(expected);
    }
    expect(compileChannelPattern('{'.repeat(1_000) + 'a')).toBeUndefined();
  });

  it.each([
    ['?', '\u{1f600}', true],
    ['?*', '\u{1f600}', true],
    ['[\u{1f600}]', '\u{1f600}', true],
    ['{a{b,c},d}e', 'ace', true],
    ['{a{b,c},d}e', 'de', true],
    ['{a{b,c},d}e', 'ae', false],
    ['{,a}b', 'b', true],
    ['{*:,}x', 'news:x', true],
  ])('%j on %j is %s, too', (pattern, channel, expected) => {
    expect(compileChannelPattern(pattern)?.(channel)).toBe(expected);
  });

  it.each(['[', 'a[', '[]', '[!]', '[]a]', '[z-a]', '[a-]', '[a-z0-9]', '[a-b-c]', String.raw`[a\]`])(
    'refuses %j',
    (pattern) => {
      expect(compileChannelPattern(pattern)).toBeUndefined();
    },
  );
});
