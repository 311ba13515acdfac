import { FakeClock } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { bansContract } from '../contract/bans.contract.ts';
import { MemoryBans } from './memory-bans.ts';

bansContract('memory', async () => {
  const clock = new FakeClock(1_800_000_000_000);
  const bans = new MemoryBans({ clock });
  return { nodes: [bans], now: () => clock.now(), close: () => bans.close() };
});

describe('memory bans', () => {
  it('takes no more than its bound, but what replaces an older one, until some have ended', async () => {
    const clock = new FakeClock(1_800_000_000_000);
    const bans = new MemoryBans({ clock, maxBans: 2 });
    await bans.put({ kind: 'user', user: 'a', expireAt: 1_800_000_010 });
    await bans.put({ kind: 'user', user: 'b', expireAt: 0 });
    await expect(bans.put({ kind: 'user', user: 'c', expireAt: 0 })).rejects.toMatchObject({ code: 'bans_full' });
    await bans.put({ kind: 'user', user: 'b', expireAt: 1_900_000_000 });
    await clock.advance(10_000);
    await bans.put({ kind: 'user', user: 'c', expireAt: 0 });
    expect(bans.current.size).toBe(2);
  });

  it('refuses changes after it was closed, and still answers', async () => {
    const bans = new MemoryBans({ clock: new FakeClock(1_800_000_000_000) });
    await bans.put({ kind: 'user', user: 'a', expireAt: 0 });
    await bans.close();
    await bans.close();
    await expect(bans.put({ kind: 'user', user: 'b', expireAt: 0 })).rejects.toMatchObject({ code: 'bans_closed' });
    await expect(bans.remove({ kind: 'user', user: 'a' })).rejects.toMatchObject({ code: 'bans_closed' });
    expect(bans.current.isUserBlocked('a', 1_800_000_000)).toBe(true);
  });
});
