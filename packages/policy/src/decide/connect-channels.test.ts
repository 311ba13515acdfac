import { DEFAULT_CHANNEL_OPTIONS, DEFAULT_CHANNEL_SYNTAX, type ChannelOptions } from '@carillon/protocol/channel';
import { expect, test } from 'vitest';

import { ChannelRules } from '../channel/channel-rules.ts';
import { decideConnectChannels, personalChannel, type ConnectChannelsQuestion } from './connect-channels.ts';
import { brief } from './permission-fixtures.ts';

const options = (change: Partial<ChannelOptions>): ChannelOptions => ({ ...DEFAULT_CHANNEL_OPTIONS, ...change });
const open = { allowSubscribeForClient: true };

const rules = new ChannelRules({
  syntax: DEFAULT_CHANNEL_SYNTAX,
  withoutNamespace: options({}),
  namespaces: new Map([
    ['open', options(open)],
    ['all', options({ ...open, allowSubscribeForAnonymous: true })],
    ['users', options({ ...open, allowUserLimitedChannels: true })],
    ['proxy', options({ ...open, allowUserLimitedChannels: true, subscribeProxyEnabled: true })],
    ['stream', options({ ...open, subscribeStreamProxyEnabled: true })],
    ['map', options({ ...open, subscriptionType: 'map' })],
  ]),
});

function granted(requested: string[], question: Partial<ConnectChannelsQuestion> = {}): string[] | string | number {
  const verdict = decideConnectChannels({
    requested,
    granted: new Set(),
    user: '42',
    insecure: false,
    rules,
    ...question,
  });
  return verdict.kind === 'grant' ? verdict.channels.map((channel) => channel.name) : brief(verdict);
}

test.each<[string, string[], Partial<ConnectChannelsQuestion>, string[]]>([
  ['the flag', ['open:x', 'x'], {}, ['open:x']],
  ['the flag, anonymous', ['open:x', 'all:x'], { user: '' }, ['all:x']],
  ['private', ['$open:x'], { insecure: true }, []],
  ['a bad name', ['open:é'], { insecure: true }, []],
  ['a long name', [`open:${'x'.repeat(255)}`], {}, [`open:${'x'.repeat(255)}`]],
  ['an empty name', [''], { insecure: true }, []],
  ['a listed user', ['users:#42', 'users:#43', 'users:x'], {}, ['users:#42', 'users:x']],
  ['an empty entry', ['users:#'], { user: '' }, []],
  ['a proxied namespace', ['proxy:x', 'proxy:#42', 'stream:x'], { insecure: true }, []],
  ['a map', ['map:x'], { insecure: true }, []],
  ['insecure mode', ['x', 'users:#1'], { user: '', insecure: true }, ['x', 'users:#1']],
  ['what the token gives anyway', ['open:x', 'open:y'], { granted: new Set(['open:x']) }, ['open:y']],
])('connect-time channels: %s', (_title, requested, question, expected) => {
  expect(granted(requested, question)).toEqual(expected);
});

test('an unknown namespace ends the connection, wherever it stands in the list', () => {
  expect(granted(['open:x', 'zz:x'])).toBe('disconnect 3501');
});

test('the source is the connect request', () => {
  const verdict = decideConnectChannels({
    requested: ['open:x'],
    granted: new Set(),
    user: '42',
    insecure: false,
    rules,
  });
  expect(verdict).toMatchObject({ kind: 'grant', source: 8 });
});

test.each([
  ['42', '', '#42'],
  ['42', 'ns', 'ns:#42'],
  ['a:b', '', '#a:b'],
  ['', 'ns', undefined],
])('the personal channel of %j in namespace %j is %s', (user, namespace, name) => {
  expect(personalChannel(user, namespace, DEFAULT_CHANNEL_SYNTAX)).toBe(name);
});

test('the personal channel of a user whose ID holds the boundary has no namespace', () => {
  expect(rules.resolve('#a:b')).toMatchObject({ namespace: '' });
});
