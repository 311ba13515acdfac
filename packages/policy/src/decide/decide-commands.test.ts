import { DEFAULT_MAP_OPTIONS, type ChannelOptions, type MapOptions } from '@carillon/protocol/channel';
import { describe, expect, test } from 'vitest';

import { decideHistory } from './decide-history.ts';
import { decideMapPublish, decideMapRemove, type MapWriteQuestion } from './decide-map-write.ts';
import { decidePresence } from './decide-presence.ts';
import { decidePublish, type PublishQuestion } from './decide-publish.ts';
import { decideRpc, type RpcRules } from './decide-rpc.ts';
import { ALICE, ANONYMOUS, brief, capable, channelWith, INSECURE } from './permission-fixtures.ts';
import { NOT_SUBSCRIBED, type Asker, type ChannelStanding } from './permission.ts';

const SUBSCRIBED: ChannelStanding = { isSubscribed: true, subscriptionAllow: [] };
const bytes = (text: string) => new TextEncoder().encode(text);

type Row = [string, Partial<ChannelOptions>, Asker, ChannelStanding, string | number];

function permissionRows(
  names: { client: string; subscriber: string; anonymous: string; cap: string },
  base: Partial<ChannelOptions>,
): Row[] {
  const on = (...flags: string[]): Partial<ChannelOptions> => ({
    ...base,
    ...Object.fromEntries(flags.map((flag) => [flag, true])),
  });
  const subscribedWith: ChannelStanding = { isSubscribed: true, subscriptionAllow: [names.cap] };
  const { client, subscriber, anonymous } = names;
  return [
    ['no flags', on(), ALICE, SUBSCRIBED, 103],
    ['for client', on(client), ALICE, NOT_SUBSCRIBED, 'allow'],
    ['for client, anonymous', on(client), ANONYMOUS, SUBSCRIBED, 103],
    ['for client and anonymous', on(client, anonymous), ANONYMOUS, NOT_SUBSCRIBED, 'allow'],
    ['for subscriber, not subscribed', on(subscriber), ALICE, NOT_SUBSCRIBED, 103],
    ['for subscriber, subscribed', on(subscriber), ALICE, SUBSCRIBED, 'allow'],
    ['for subscriber, anonymous', on(subscriber), ANONYMOUS, SUBSCRIBED, 103],
    ['for subscriber and anonymous', on(subscriber, anonymous), ANONYMOUS, SUBSCRIBED, 'allow'],
    ['for anonymous alone', on(anonymous), ANONYMOUS, SUBSCRIBED, 103],
    ['for anonymous alone, a user', on(anonymous), ALICE, SUBSCRIBED, 103],
    ['connection capability', on(), capable(names.cap), NOT_SUBSCRIBED, 'allow'],
    ['another connection capability', on(), capable('sub'), NOT_SUBSCRIBED, 103],
    ['subscription capability', on(), ALICE, subscribedWith, 'allow'],
    ['subscription capability without subscription', on(), ALICE, { ...subscribedWith, isSubscribed: false }, 103],
    ['insecure mode', on(), INSECURE, NOT_SUBSCRIBED, 'allow'],
  ];
}

describe('publish', () => {
  const publish = (options: Partial<ChannelOptions>, question: Partial<PublishQuestion> = {}) => {
    const name = question.name ?? 'ns:x';
    return brief(
      decidePublish({
        name,
        channel: channelWith(name, options),
        data: bytes('{}'),
        asker: ALICE,
        standing: NOT_SUBSCRIBED,
        defaultDataFormat: '',
        ...question,
      }),
    );
  };
  const flags = {
    client: 'allowPublishForClient',
    subscriber: 'allowPublishForSubscriber',
    anonymous: 'allowPublishForAnonymous',
    cap: 'pub',
  };
  test.each(permissionRows(flags, {}))('%s', (_title, options, asker, ...[standing, outcome]) => {
    expect(publish(options, { asker, standing })).toBe(outcome);
  });

  const open: Partial<ChannelOptions> = { allowPublishForClient: true };
  test.each<[string, Partial<ChannelOptions>, Partial<PublishQuestion>, string | number]>([
    ['an empty name', open, { name: '' }, 'disconnect 3501'],
    ['an unknown namespace', open, { name: 'zz:x' }, 102],
    ['a bad name', open, { name: 'é' }, 107],
    ['an empty payload', open, { data: bytes('') }, 107],
    ['an empty payload, binary', { ...open, publicationDataFormat: 'binary' }, { data: bytes('') }, 'allow'],
    ['a list where objects are wanted', { ...open, publicationDataFormat: 'json_object' }, { data: bytes('[1]') }, 107],
    ['the format of the channel group', open, { data: bytes('x'), defaultDataFormat: 'json' }, 107],
    ['a bad payload, before the proxy', { publishProxyEnabled: true }, { data: bytes('') }, 107],
    ['a map', { ...open, subscriptionType: 'map' }, {}, 107],
    ['the proxy, whatever the flags', { ...open, publishProxyEnabled: true }, {}, 'ask_proxy'],
    ['the proxy, in insecure mode', { publishProxyEnabled: true }, { asker: INSECURE }, 'ask_proxy'],
    ['a one-way stream', { ...open, subscribeStreamProxyEnabled: true }, {}, 108],
    [
      'a stream both ways',
      { subscribeStreamProxyEnabled: true, subscribeStreamProxyBidirectional: true },
      {},
      'ask_stream',
    ],
  ])('%s', (_title, options, question, outcome) => {
    expect(publish(options, question)).toBe(outcome);
  });
});

describe('presence', () => {
  const presence = (options: Partial<ChannelOptions>, asker: Asker, standing: ChannelStanding, name = 'ns:x') =>
    brief(decidePresence(name, channelWith(name, options), asker, standing));
  const flags = {
    client: 'allowPresenceForClient',
    subscriber: 'allowPresenceForSubscriber',
    anonymous: 'allowPresenceForAnonymous',
    cap: 'prs',
  };
  test.each(permissionRows(flags, { presence: true }))('%s', (_title, options, asker, ...[standing, outcome]) => {
    expect(presence(options, asker, standing)).toBe(outcome);
  });

  test('is not available where it is off, even in insecure mode', () => {
    expect(presence({ allowPresenceForClient: true }, INSECURE, SUBSCRIBED)).toBe(108);
  });

  test('checks the name first', () => {
    expect(presence({}, ALICE, SUBSCRIBED, '')).toBe('disconnect 3501');
    expect(presence({}, ALICE, SUBSCRIBED, 'zz:x')).toBe(102);
    expect(presence({}, ALICE, SUBSCRIBED, 'é')).toBe(107);
  });
});

describe('history', () => {
  const history = (options: Partial<ChannelOptions>, asker: Asker, standing: ChannelStanding, name = 'ns:x') =>
    brief(decideHistory(name, channelWith(name, options), asker, standing));
  const flags = {
    client: 'allowHistoryForClient',
    subscriber: 'allowHistoryForSubscriber',
    anonymous: 'allowHistoryForAnonymous',
    cap: 'hst',
  };
  const kept = { historySize: 10, historyTtlMs: 60_000 };
  test.each(permissionRows(flags, kept))('%s', (_title, options, asker, ...[standing, outcome]) => {
    expect(history(options, asker, standing)).toBe(outcome);
  });

  test.each([{ historySize: 10 }, { historyTtlMs: 1000 }, {}])('is not available with %j', (options) => {
    expect(history({ allowHistoryForClient: true, ...options }, INSECURE, SUBSCRIBED)).toBe(108);
  });

  test('checks the name first', () => {
    expect(history({}, ALICE, SUBSCRIBED, 'zz:x')).toBe(102);
    expect(history({}, ALICE, SUBSCRIBED, 'é')).toBe(107);
  });
});

describe.each([
  ['map publish', decideMapPublish, 'Publish', 'publishProxyEnabled'],
  ['map remove', decideMapRemove, 'Remove', 'removeProxyEnabled'],
] as const)('%s', (_title, decide, verb, proxyFlag) => {
  const write = (map: Partial<MapOptions>, question: Partial<MapWriteQuestion> = {}) => {
    const name = question.name ?? 'ns:x';
    const options: Partial<ChannelOptions> = { subscriptionType: 'map', map: { ...DEFAULT_MAP_OPTIONS, ...map } };
    return decide({
      name,
      channel: channelWith(name, options),
      asker: ALICE,
      standing: NOT_SUBSCRIBED,
      client: 'c1',
      key: 'k',
      ...question,
    });
  };
  const flags = {
    client: `allow${verb}ForClient`,
    subscriber: `allow${verb}ForSubscriber`,
    anonymous: `allow${verb}ForAnonymous`,
    cap: 'pub',
  };
  test.each(permissionRows(flags, {}))('%s', (_title, map, asker, ...[standing, outcome]) => {
    expect(brief(write(map as Partial<MapOptions>, { asker, standing }))).toBe(outcome);
  });

  const open: Partial<MapOptions> = { [flags.client]: true, [flags.anonymous]: true };
  test('checks the name, the type, then the proxy', () => {
    expect(brief(write(open, { name: '' }))).toBe('disconnect 3501');
    expect(brief(write(open, { name: 'zz:x' }))).toBe(102);
    expect(brief(write(open, { name: 'é' }))).toBe(107);
    expect(brief(write(open, { channel: channelWith('ns:x', {}) }))).toBe(107);
    expect(write({ ...open, [proxyFlag]: true }, { key: '' })).toEqual({ kind: 'ask_proxy', proxyName: 'default' });
  });

  test.each<[Partial<MapOptions>, Partial<MapWriteQuestion>, unknown]>([
    [{}, {}, { kind: 'allow', key: 'k' }],
    [{ clientKey: 'client_id' }, {}, { kind: 'allow', key: 'c1' }],
    [{ clientKey: 'user_id' }, {}, { kind: 'allow', key: 'alice' }],
    [{ clientKey: 'user_id' }, { key: '' }, { kind: 'allow', key: 'alice' }],
  ])('takes the key that %j asks for', (map, question, verdict) => {
    expect(write({ ...open, ...map }, question)).toEqual(verdict);
  });

  test('refuses a write without a key, and an anonymous one where the user is the key', () => {
    expect(brief(write(open, { key: '' }))).toBe(107);
    expect(brief(write({ ...open, clientKey: 'user_id' }, { asker: ANONYMOUS }))).toBe(103);
  });
});

describe('rpc', () => {
  const off = { proxyEnabled: false, proxyName: 'default' };
  const rules = (change: Partial<RpcRules>): RpcRules => ({
    namespaceBoundary: ':',
    withoutNamespace: { proxyEnabled: true, proxyName: 'default' },
    namespaces: new Map([
      ['one', { proxyEnabled: true, proxyName: 'first' }],
      ['off', off],
    ]),
    ping: { enabled: false, method: 'ping' },
    ...change,
  });
  const nowhere: Partial<RpcRules> = { withoutNamespace: off, namespaces: new Map() };
  const ping = { enabled: true, method: 'ping' };

  test.each([
    ['m', 'default'],
    ['one:m', 'first'],
    ['one:m:x', 'first'],
    [':m', 'default'],
    ['', 'default'],
  ])('%j goes to proxy %s', (method, proxyName) => {
    expect(decideRpc(method, rules({}))).toEqual({ kind: 'ask_proxy', proxyName });
  });

  test.each<[string, string, Partial<RpcRules>, string | number]>([
    ['an unknown namespace', 'zz:m', {}, 104],
    ['a namespace without proxy', 'off:m', {}, 108],
    ['no namespace, without proxy', 'm', { withoutNamespace: off }, 108],
    ['no proxy anywhere', 'zz:m', nowhere, 108],
    ['no proxy anywhere, but ping', 'm', { ...nowhere, ping }, 104],
    ['ping', 'ping', { ...nowhere, ping }, 'answer_ping'],
    ['ping before the proxy', 'ping', { ping }, 'answer_ping'],
    ['ping off', 'ping', {}, 'ask_proxy'],
  ])('%s', (_title, method, change, outcome) => {
    expect(brief(decideRpc(method, rules(change)))).toBe(outcome);
  });
});
