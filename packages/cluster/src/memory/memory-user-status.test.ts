import { FakeClock } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { userStatusContract } from '../contract/user-status.contract.ts';
import { USER_STATUS_TTL_S } from '../user-status.ts';
import { MemoryUserStatus } from './memory-user-status.ts';

userStatusContract('memory', async () => {
  const store = new MemoryUserStatus({ clock: new FakeClock() });
  return { nodes: [store], close: () => store.close() };
});

describe('memory user status', () => {
  it('forgets what was not renewed, and the oldest beyond its bound', async () => {
    const clock = new FakeClock();
    const store = new MemoryUserStatus({ clock, maxStatuses: 2 });
    const usersOf = async (): Promise<string[]> => [...(await store.get(['a', 'b', 'c'])).keys()];
    await store.put(['a', 'b'], { active: 1, state: '' });
    await clock.advance(1_000);
    await store.put(['a'], { active: 2, state: '' });
    await store.put(['c'], { active: 3, state: '' });
    expect(await usersOf()).toEqual(['a', 'c']);
    await clock.advance(USER_STATUS_TTL_S * 1_000 - 500);
    expect(await usersOf()).toEqual(['a', 'c']);
    await clock.advance(1_000);
    expect(await usersOf()).toEqual([]);
  });

  it('refuses everything after it was closed', async () => {
    const store = new MemoryUserStatus({ clock: new FakeClock() });
    await store.close();
    await expect(store.get(['a'])).rejects.toMatchObject({ code: 'user_status_closed' });
  });
});
