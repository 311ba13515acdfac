import { DEFAULT_CHANNEL_OPTIONS, DEFAULT_CHANNEL_SYNTAX, type ChannelOptions } from '@carillon/protocol/channel';
import { describe, expect, test } from 'vitest';

import { ChannelRules, isListedUser } from './channel-rules.ts';

function rulesWith(namespaces: Record<string, Partial<ChannelOptions>>, without: Partial<ChannelOptions> = {}) {
  return new ChannelRules({
    syntax: DEFAULT_CHANNEL_SYNTAX,
    withoutNamespace: { ...DEFAULT_CHANNEL_OPTIONS, ...without },
    namespaces: new Map(
      Object.entries(namespaces).map(([name, options]) => [name, { ...DEFAULT_CHANNEL_OPTIONS, ...options }]),
    ),
  });
}

describe('namespace of a channel', () => {
  const rules = rulesWith({ a: {}, ns: {} });
  test.each([
    ['x', '', false],
    ['a:b:c', 'a', false],
    ['$a:b', 'a', true],
    ['$x', '', true],
    [':x', '', false],
    ['ns:#17', 'ns', false],
    ['#a:b', '', false],
  ])('%s is in namespace "%s"', (name, namespace, isPrivate) => {
    expect(rules.resolve(name)).toMatchObject({ name, namespace, isPrivate });
  });

  test.each(['zz:x', '$zz:x', 'unknown:#1'])('%s is unknown', (name) => {
    expect(rules.resolve(name)).toBeUndefined();
  });

  test('options are not inherited from those without a namespace', () => {
    const rules = rulesWith({ a: {} }, { presence: true });
    expect(rules.resolve('a:x')?.options.presence).toBe(false);
    expect(rules.resolve('x')?.options.presence).toBe(true);
  });
});

describe('validity of a name', () => {
  const rules = rulesWith({
    digits: { channelRegex: '^[0-9]+$' },
    open: { channelRegex: 'b' },
    unicode: { channelRegex: '^\\p{L}+$' },
    ab: { channelRegex: '^b:c$' },
    plain: {},
  });
  test.each([
    ['plain:a b', true],
    ['plain:\u0001', true],
    ['plain:é', false],
    ['digits:12', true],
    ['digits:a1', false],
    ['$digits:12', true],
    ['open:abc', true],
    ['open:acd', false],
    ['unicode:é', true],
    ['ab:b:c', true],
  ])('%j: %s', (name, isValid) => {
    expect(rules.resolve(name)?.isNameValid).toBe(isValid);
  });

  test('without a namespace the regex sees the complete name, private prefix included', () => {
    const rules = rulesWith({}, { channelRegex: '^\\$x$' });
    expect(rules.resolve('$x')?.isNameValid).toBe(true);
    expect(rules.resolve('x')?.isNameValid).toBe(false);
  });

  test('a regex that does not compile is refused when the rules are made', () => {
    expect(() => rulesWith({ bad: { channelRegex: '(' } })).toThrow();
  });
});

describe('user-limited channels', () => {
  const rules = rulesWith({ on: { allowUserLimitedChannels: true }, off: {} }, { allowUserLimitedChannels: true });
  test.each([
    ['x#42', '42', true],
    ['x#42', '4', false],
    ['x#41,42', '42', true],
    ['x#42 ', '42', false],
    ['a#1#42', '42', true],
    ['a#1#42', '1', false],
    ['on:#17', '17', true],
    ['x#', '', false],
    ['x#1,', '', false],
    ['off:x#42', '42', false],
    ['x', '42', false],
  ])('%s lists %j: %s', (name, user, isListed) => {
    const channel = rules.resolve(name);
    expect(channel && isListedUser(channel, user)).toBe(isListed);
  });

  test('where the option is off the boundary has no meaning', () => {
    expect(rules.resolve('off:x#42')?.allowedUsers).toBeUndefined();
  });
});
