import type { ChannelOptions } from '@carillon/protocol/channel';
import { describe, expect, test } from 'vitest';

import { ALICE, ANONYMOUS, capable, channelWith, INSECURE } from './permission-fixtures.ts';
import { NOTHING_REQUESTED, subscriptionFeatures, type FeatureQuestion } from './subscription-features.ts';

const EVERYTHING = { positioned: true, recoverable: true, joinLeave: true, delta: 'fossil' };

function features(options: Partial<ChannelOptions>, question: Partial<FeatureQuestion> = {}) {
  const channel = channelWith('ns:x', options);
  if (channel === undefined) throw new Error('the namespace exists');
  return subscriptionFeatures({
    channel,
    decidedBy: 'rules',
    asker: ALICE,
    subscriptionAllow: [],
    requested: EVERYTHING,
    ...question,
  });
}

const NOTHING = {
  presence: false,
  joinLeave: false,
  pushJoinLeave: false,
  positioned: false,
  recoverable: false,
  delta: false,
};

describe('what a client asks for', () => {
  type Row = [string, Partial<ChannelOptions>, Partial<FeatureQuestion>, Partial<typeof NOTHING>];
  const positions = { positioned: true, recoverable: true };
  test.each<Row>([
    ['nothing is allowed', {}, {}, {}],
    ['positioning', { allowPositioning: true }, {}, { positioned: true }],
    ['recovery brings positioning', { allowRecovery: true }, {}, positions],
    ['history access', { allowHistoryForClient: true }, {}, positions],
    ['history access of subscribers', { allowHistoryForSubscriber: true }, {}, positions],
    ['no history access for anonymous', { allowHistoryForSubscriber: true }, { asker: ANONYMOUS }, {}],
    ['history capability', {}, { asker: capable('hst') }, positions],
    ['history capability of the subscription', {}, { subscriptionAllow: ['hst'] }, positions],
    ['insecure mode', {}, { asker: INSECURE }, positions],
    ['not asked for', { allowRecovery: true, allowPositioning: true }, { requested: NOTHING_REQUESTED }, {}],
    ['join/leave without presence access', { joinLeave: true }, {}, { joinLeave: true }],
    ['presence access without join/leave', { allowPresenceForClient: true }, {}, {}],
    [
      'join/leave with presence access',
      { joinLeave: true, allowPresenceForSubscriber: true },
      {},
      { joinLeave: true, pushJoinLeave: true },
    ],
    ['delta', { allowedDeltaTypes: ['fossil'] }, {}, { delta: true }],
    [
      'a delta that is not allowed',
      { allowedDeltaTypes: ['fossil'] },
      { requested: { ...EVERYTHING, delta: 'x' } },
      {},
    ],
    ['with a token', { allowRecovery: true }, { decidedBy: 'token' }, positions],
    ['with a proxy', { allowRecovery: true, allowHistoryForClient: true }, { decidedBy: 'proxy' }, {}],
    ['with a proxy, delta', { allowedDeltaTypes: ['fossil'] }, { decidedBy: 'proxy' }, { delta: true }],
    ['server-side', { allowRecovery: true, joinLeave: true }, { decidedBy: 'server' }, { joinLeave: true }],
  ])('%s', (_title, options, question, expected) => {
    expect(features(options, question)).toEqual({ ...NOTHING, ...expected });
  });
});

describe('what the namespace forces', () => {
  const forced: Partial<ChannelOptions> = {
    presence: true,
    joinLeave: true,
    forcePushJoinLeave: true,
    forceRecovery: true,
  };
  test('applies without being asked for', () => {
    expect(features(forced, { requested: NOTHING_REQUESTED })).toEqual({
      presence: true,
      joinLeave: true,
      pushJoinLeave: true,
      positioned: true,
      recoverable: true,
      delta: false,
    });
  });

  test('force_positioning does not make recoverable', () => {
    const { positioned, recoverable } = features({ forcePositioning: true }, { requested: NOTHING_REQUESTED });
    expect({ positioned, recoverable }).toEqual({ positioned: true, recoverable: false });
  });

  test('is overridden field by field; an empty value is false, an absent one keeps the namespace', () => {
    const override = { forceRecovery: { value: false }, presence: {}, forcePositioning: { value: true } };
    expect(features(forced, { decidedBy: 'proxy', override, requested: NOTHING_REQUESTED })).toEqual({
      presence: false,
      joinLeave: true,
      pushJoinLeave: true,
      positioned: true,
      recoverable: false,
      delta: false,
    });
  });

  test('an override turns on what the namespace has not', () => {
    const value = { value: true };
    const override = { presence: value, joinLeave: value, forcePushJoinLeave: value, forceRecovery: value };
    expect(features({}, { decidedBy: 'token', override, requested: NOTHING_REQUESTED })).toEqual({
      presence: true,
      joinLeave: true,
      pushJoinLeave: true,
      positioned: true,
      recoverable: true,
      delta: false,
    });
  });

  test('a stream has no positions and no deltas, forced or overridden', () => {
    const override = { forceRecovery: { value: true }, forcePositioning: { value: true } };
    const options: Partial<ChannelOptions> = { ...forced, allowedDeltaTypes: ['fossil'] };
    expect(features(options, { decidedBy: 'stream', override })).toEqual({
      presence: true,
      joinLeave: true,
      pushJoinLeave: true,
      positioned: false,
      recoverable: false,
      delta: false,
    });
  });
});
