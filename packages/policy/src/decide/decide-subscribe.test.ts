import type { ChannelOptions } from '@carillon/protocol/channel';
import { describe, expect, test } from 'vitest';

import { decideSubscribe, type SubscribeQuestion } from './decide-subscribe.ts';
import { ALICE, ANONYMOUS, brief, capable, channelWith, INSECURE } from './permission-fixtures.ts';

const LIMITS = { maxChannelBytes: 255, channelLimit: 128 };

function ask(name: string, options: Partial<ChannelOptions>, question: Partial<SubscribeQuestion> = {}) {
  return decideSubscribe({
    name,
    channel: channelWith(name, options),
    type: 0,
    delta: '',
    hasToken: false,
    asker: ALICE,
    isSubscribed: false,
    channelCount: 0,
    limits: LIMITS,
    ...question,
  });
}

type Row = [string, string, Partial<ChannelOptions>, Partial<SubscribeQuestion>, string | number];

const LONG = 'x'.repeat(256);
const OPEN: Partial<ChannelOptions> = { allowSubscribeForClient: true };
const LIMITED: Partial<ChannelOptions> = { allowUserLimitedChannels: true };

describe('subscribe', () => {
  const rows: Row[] = [
    ['1: an empty name', '', OPEN, {}, 'disconnect 3501'],
    ['an unknown type', 'x', OPEN, { type: 5 }, 107],
    ['a negative type', 'x', OPEN, { type: -1 }, 107],
    ['2: another type on shared poll', 'x', { subscriptionType: 'shared_poll' }, {}, 107],
    ['2: shared poll on another kind', 'x', OPEN, { type: 4 }, 108],
    ['2: shared poll in an unknown namespace', 'zz:x', OPEN, { type: 4 }, 108],
    ['3: an unknown delta', 'x', OPEN, { delta: 'xdelta' }, 'disconnect 3501'],
    ['3 before 4: an unknown delta and a long name', LONG, OPEN, { delta: 'xdelta' }, 'disconnect 3501'],
    ['3: an unknown delta on a map is no matter', 'x', { subscriptionType: 'map' }, { type: 1, delta: 'y' }, 103],
    ['4: 256 bytes', LONG, OPEN, {}, 107],
    ['4: 255 bytes', 'x'.repeat(255), OPEN, {}, 'allow'],
    ['4: bytes, not characters', 'é'.repeat(128), { ...OPEN, channelRegex: '.' }, {}, 107],
    ['4 before 5', LONG, OPEN, { isSubscribed: true }, 107],
    ['5: already subscribed', 'x', OPEN, { isSubscribed: true }, 105],
    ['5 before 6', 'x', OPEN, { isSubscribed: true, channelCount: 128 }, 105],
    ['6: the 129th channel', 'x', OPEN, { channelCount: 128 }, 106],
    ['6: the 128th channel', 'x', OPEN, { channelCount: 127 }, 'allow'],
    ['6 before 7', 'zz:x', OPEN, { channelCount: 128 }, 106],
    ['7: an unknown namespace', 'zz:x', OPEN, {}, 102],
    ['7: also with a token', 'zz:x', OPEN, { hasToken: true }, 102],
    ['8: a name that is not ASCII', 'é', OPEN, {}, 107],
    ['8: a name that fails the regex, with a token', 'ns:a', { channelRegex: '^[0-9]$' }, { hasToken: true }, 107],
    ['9: stream on a map', 'x', { subscriptionType: 'map' }, {}, 103],
    ['9: map on a stream', 'x', OPEN, { type: 1 }, 103],
    ['9: map_users on map_clients', 'x', { subscriptionType: 'map_clients' }, { type: 3 }, 103],
    ['9: the type that fits', 'x', { ...OPEN, subscriptionType: 'map_users' }, { type: 3 }, 'allow'],
    ['9: before the token', 'x', { subscriptionType: 'map' }, { hasToken: true }, 103],
    ['10: private without token', '$x', OPEN, {}, 103],
    ['10: private, in insecure mode', '$x', OPEN, { asker: INSECURE }, 103],
    ['10: private, with capabilities', '$x', OPEN, { asker: capable('sub') }, 103],
    ['10: private, listed user', '$x#alice', LIMITED, {}, 103],
    ['10: private, subscribe proxy', '$x', { subscribeProxyEnabled: true }, {}, 103],
    ['11: private with token', '$x', OPEN, { hasToken: true }, 'ask_token'],
    [
      '11: a token decides alone',
      'x#bob',
      { ...LIMITED, subscribeProxyEnabled: true },
      { hasToken: true },
      'ask_token',
    ],
    ['14: a listed user', 'd#alice', LIMITED, {}, 'allow'],
    ['14: a listed user is not sent to the proxy', 'd#alice', { ...LIMITED, subscribeProxyEnabled: true }, {}, 'allow'],
    ['14: no fall back to flags', 'd#bob', { ...LIMITED, ...OPEN }, {}, 103],
    ['14: no fall back to the proxy', 'd#bob', { ...LIMITED, subscribeProxyEnabled: true }, {}, 103],
    ['14: no fall back to the stream', 'd#bob', { ...LIMITED, subscribeStreamProxyEnabled: true }, {}, 103],
    ['14: an empty entry admits nobody', 'd#', LIMITED, { asker: ANONYMOUS }, 103],
    ['14: insecure mode admits', 'd#bob', LIMITED, { asker: INSECURE }, 'allow'],
    ['14: capabilities admit', 'd#bob', LIMITED, { asker: capable('sub') }, 'allow'],
    ['14: the option is off', 'd#bob', OPEN, {}, 'allow'],
    ['15: subscribe proxy', 'x', { ...OPEN, subscribeProxyEnabled: true }, {}, 'ask_proxy'],
    ['15: before insecure mode', 'x', { subscribeProxyEnabled: true }, { asker: INSECURE }, 'ask_proxy'],
    ['15: before capabilities', 'x', { subscribeProxyEnabled: true }, { asker: capable('sub') }, 'ask_proxy'],
    ['15: stream proxy', 'x', { ...OPEN, subscribeStreamProxyEnabled: true }, {}, 'ask_stream'],
    ['capabilities', 'x', {}, { asker: capable('sub') }, 'allow'],
    ['capabilities of another kind', 'x', {}, { asker: capable('pub', 'hst', 'prs') }, 103],
    ['16: the flag', 'x', OPEN, {}, 'allow'],
    ['16: the flag for anonymous', 'x', OPEN, { asker: ANONYMOUS }, 103],
    ['16: both flags', 'x', { ...OPEN, allowSubscribeForAnonymous: true }, { asker: ANONYMOUS }, 'allow'],
    ['16: the anonymous flag alone', 'x', { allowSubscribeForAnonymous: true }, { asker: ANONYMOUS }, 103],
    ['16: the anonymous flag alone, a user', 'x', { allowSubscribeForAnonymous: true }, {}, 103],
    ['17: insecure mode', 'x', {}, { asker: INSECURE }, 'allow'],
    ['18: nothing', 'x', {}, {}, 103],
  ];
  test.each(rows)('%s', (_title, name, options, ...[question, outcome]) => {
    expect(brief(ask(name, options, question))).toBe(outcome);
  });

  test.each<[string, string, Partial<ChannelOptions>, Partial<SubscribeQuestion>, number]>([
    ['user list', 'd#alice', LIMITED, {}, 5],
    ['flags', 'x', OPEN, {}, 6],
    ['insecure mode', 'x', {}, { asker: INSECURE }, 7],
    ['capabilities', 'x', OPEN, { asker: capable('sub') }, 11],
  ])('records its source: %s', (_title, name, options, ...[question, source]) => {
    expect(ask(name, options, question)).toEqual({ kind: 'allow', source });
  });

  test('names the proxy to ask', () => {
    expect(ask('x', { subscribeProxyEnabled: true, subscribeProxyName: 'one' })).toEqual({
      kind: 'ask_proxy',
      proxyName: 'one',
    });
    expect(
      ask('x', {
        subscribeStreamProxyEnabled: true,
        subscribeStreamProxyName: 'two',
        subscribeStreamProxyBidirectional: true,
      }),
    ).toEqual({ kind: 'ask_stream', proxyName: 'two', isBidirectional: true });
  });
});
