import { describe, expect, it } from 'vitest';
import {
  channelByteLength,
  DEFAULT_CHANNEL_SYNTAX as syntax,
  isAsciiChannel,
  parseChannel,
  userLimit,
} from './channel-name.ts';

describe('a channel name', () => {
  it.each([
    ['a:b:c', 'a', 'b:c', false],
    ['$a:b', 'a', 'b', true],
    [':x', '', 'x', false],
    ['a', '', 'a', false],
    ['$a', '', '$a', true],
    ['$:x', '', 'x', true],
    ['$$a:b', '$a', 'b', true],
    ['', '', '', false],
    ['a:', 'a', '', false],
    ['ns:#17', 'ns', '#17', false],
  ])('%s has the namespace "%s" and the rest "%s"', (name, namespace, rest, isPrivate) => {
    expect(parseChannel(name, syntax)).toEqual({ name, namespace, rest, isPrivate });
  });

  it.each([
    ['dialog#1,2', ['1', '2']],
    ['ns:#17', ['17']],
    ['a#b#c', ['c']],
    ['x#', ['']],
    ['d#1,', ['1', '']],
    ['d# 1', [' 1']],
    ['plain', undefined],
  ])('%s is limited to the users %j', (name, users) => {
    expect(userLimit(name, syntax)).toEqual(users);
  });

  it('follows the configured characters, of any length', () => {
    const custom = { privatePrefix: '!!', namespaceBoundary: '::', userBoundary: '@@', userSeparator: '||' };
    expect(parseChannel('!!ns::a:b', custom)).toMatchObject({ namespace: 'ns', rest: 'a:b', isPrivate: true });
    expect(parseChannel('$a:b', custom)).toMatchObject({ namespace: '', rest: '$a:b', isPrivate: false });
    expect(userLimit('a@@1||2', custom)).toEqual(['1', '2']);
  });

  it('is measured in bytes and told from non-ASCII ones', () => {
    expect(channelByteLength('né')).toBe(3);
    expect(isAsciiChannel('a b\u0000~')).toBe(true);
    expect(isAsciiChannel('né')).toBe(false);
    expect(isAsciiChannel('\u0080')).toBe(false);
  });
});
