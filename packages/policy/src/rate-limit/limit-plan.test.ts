import { describe, expect, it } from 'vitest';
import { LimitMeter } from './limit-meter.ts';
import { createLimitPlan, type CommandLimitRules, type LimitRule } from './limit-plan.ts';

const OFF: LimitRule = { enabled: false, buckets: [] };
const OFF_ON_CHANNELS = { ...OFF, namespaceOverrides: [] };
const per = (rate: number, intervalMs = 1_000): LimitRule => ({ enabled: true, buckets: [{ intervalMs, rate }] });
const NOTHING: CommandLimitRules = {
  enabled: true,
  total: OFF,
  default: OFF,
  subscribe: OFF_ON_CHANNELS,
  unsubscribe: OFF_ON_CHANNELS,
  publish: OFF_ON_CHANNELS,
  history: OFF_ON_CHANNELS,
  presence: OFF_ON_CHANNELS,
  presenceStats: OFF_ON_CHANNELS,
  refresh: OFF,
  subRefresh: OFF_ON_CHANNELS,
  rpc: { ...OFF, methodOverrides: [] },
};

describe('limit plan', () => {
  const meterOf = (rules: Partial<CommandLimitRules>) => {
    const plan = createLimitPlan({ ...NOTHING, ...rules });
    if (plan === undefined) throw new Error('nothing is limited');
    const meter = new LimitMeter(plan);
    return {
      plan,
      meter,
      take: (command: 'publish' | 'history' | 'rpc', target = '') => meter.take(plan.slotFor(command, target), 0),
    };
  };
  const countOf = (take: () => boolean): number => {
    let count = 0;
    while (count < 100 && take()) count += 1;
    return count;
  };

  it('there is none where nothing is limited', () => {
    expect(createLimitPlan({ ...NOTHING, enabled: false, total: per(1) })).toBeUndefined();
    expect(createLimitPlan(NOTHING)).toBeUndefined();
    expect(createLimitPlan({ ...NOTHING, total: { enabled: true, buckets: [] } })).toBeUndefined();
    expect(createLimitPlan({ ...NOTHING, default: { ...per(1), enabled: false } })).toBeUndefined();
  });

  it('the default counts for each command by itself', () => {
    const { take } = meterOf({ default: per(3) });
    expect([countOf(() => take('publish')), countOf(() => take('history'))]).toEqual([3, 3]);
  });

  it('buckets of a command take the place of the default', () => {
    const { take } = meterOf({ default: per(3), publish: { ...per(7), namespaceOverrides: [] } });
    expect([countOf(() => take('publish')), countOf(() => take('history'))]).toEqual([7, 3]);
  });

  it('an override takes the place of the buckets of its command, and without buckets means the default', () => {
    const { take, plan } = meterOf({
      default: per(3),
      publish: {
        ...per(7),
        namespaceOverrides: [
          { ...per(1), namespaceName: 'chat' },
          { enabled: true, buckets: [], namespaceName: 'plain' },
          { ...per(2), enabled: false, namespaceName: 'off' },
        ],
      },
      rpc: { ...OFF, methodOverrides: [{ ...per(2), method: 'slow' }] },
    });
    expect(plan.hasOverrides('publish') && plan.hasOverrides('rpc') && !plan.hasOverrides('history')).toBe(true);
    expect(countOf(() => take('publish', 'chat'))).toBe(1);
    expect(countOf(() => take('publish', 'plain'))).toBe(3);
    expect(countOf(() => take('publish', 'off'))).toBe(7);
    expect(countOf(() => take('publish', 'other'))).toBe(0);
    expect([countOf(() => take('rpc', 'slow')), countOf(() => take('rpc', 'quick'))]).toEqual([2, 3]);
  });

  it('the total counts commands that passed, all together', () => {
    const { take } = meterOf({ total: per(5), publish: { ...per(2), namespaceOverrides: [] } });
    expect(countOf(() => take('publish'))).toBe(2);
    for (let index = 0; index < 10; index++) take('publish');
    expect(countOf(() => take('history'))).toBe(3);
  });

  it('what is only counted draws on the total and is never refused', () => {
    const { take, meter, plan } = meterOf({ total: per(3) });
    for (let index = 0; index < 10; index++) meter.count(plan.slotFor('unsubscribe', ''), 0);
    expect(take('publish')).toBe(false);
  });

  it('knows its longest interval', () => {
    expect(meterOf({ total: per(1, 5_000), default: per(1, 60_000) }).plan.longestIntervalMs).toBe(60_000);
  });
});
