import { createLimitPlan, type LimitPlan } from '@carillon/policy';
import { defaultConfig } from '@carillon/config';
import { describe, expect, it } from 'vitest';
import { UserMeters } from './user-meters.ts';

function planOf(intervalMs: number): LimitPlan {
  const { userCommand } = defaultConfig().client.rateLimit;
  const total = { enabled: true, buckets: [{ intervalMs, rate: 1 }] };
  const plan = createLimitPlan({ ...userCommand, enabled: true, total });
  if (plan === undefined) throw new Error('nothing is limited');
  return plan;
}

describe('user meters', () => {
  const plan = planOf(1_000);

  it('a user keeps the meter for as long as it matters', () => {
    const users = new UserMeters();
    const meter = users.of('a', plan, 0);
    expect(users.of('a', plan, 500)).toBe(meter);
    users.of('b', plan, 600);
    expect(users.of('a', plan, 900)).toBe(meter);
  });

  it('a user who was idle for the longest interval is forgotten when another comes', () => {
    const users = new UserMeters();
    users.of('a', plan, 0);
    users.of('b', plan, 0);
    users.of('c', plan, 1_000);
    expect(users.size).toBe(1);
  });

  it('there are never more than the bound: the one who was idle for longest starts anew', () => {
    const users = new UserMeters(2);
    const first = users.of('a', plan, 0);
    const second = users.of('b', plan, 1);
    users.of('a', plan, 2);
    users.of('c', plan, 3);
    expect(users.size).toBe(2);
    expect(users.of('a', plan, 4)).toBe(first);
    expect(users.of('b', plan, 5)).not.toBe(second);
  });

  it('another plan is another meter', () => {
    const users = new UserMeters();
    const meter = users.of('a', plan, 0);
    expect(users.of('a', planOf(5_000), 1)).not.toBe(meter);
    expect(users.size).toBe(1);
  });
});
