import { describe, expect, it } from 'vitest';
import { BanList } from './ban-list.ts';

const NOW_S = 1_800_000_000;
const token = { user: 'u', tokenId: 'id', issuedAt: 50 };

describe('ban list', () => {
  it('a block ends at its time, not before', () => {
    const list = new BanList();
    list.put({ kind: 'user', user: 'u', expireAt: NOW_S });
    expect(list.isUserBlocked('u', NOW_S - 0.5)).toBe(true);
    expect(list.isUserBlocked('u', NOW_S)).toBe(false);
  });

  it('an end of zero is no end', () => {
    const list = new BanList();
    list.put({ kind: 'token', tokenId: 'id', expireAt: 0 });
    expect(list.isTokenRevoked(token, NOW_S * 2)).toBe(true);
  });

  it('tokens from before the time are refused, those of the very time are not', () => {
    const list = new BanList();
    list.put({ kind: 'user_tokens', user: 'u', channel: '', issuedBefore: 50, expireAt: 0 });
    expect(list.isTokenRevoked({ ...token, issuedAt: 49.9 }, NOW_S)).toBe(true);
    expect(list.isTokenRevoked(token, NOW_S)).toBe(false);
    expect(list.isTokenRevoked({ ...token, user: 'v', issuedAt: 1 }, NOW_S)).toBe(false);
  });

  it('a token that does not say when it was issued is older than anything', () => {
    const list = new BanList();
    list.put({ kind: 'user_tokens', user: 'u', channel: '', issuedBefore: 1, expireAt: 0 });
    expect(list.isTokenRevoked({ user: 'u', tokenId: undefined, issuedAt: 0 }, NOW_S)).toBe(true);
  });

  it('an invalidation for a channel concerns subscription tokens of that channel alone', () => {
    const list = new BanList();
    list.put({ kind: 'user_tokens', user: 'u', channel: 'news', issuedBefore: 100, expireAt: 0 });
    expect(list.isTokenRevoked(token, NOW_S)).toBe(false);
    expect(list.isTokenRevoked({ ...token, channel: '' }, NOW_S)).toBe(false);
    expect(list.isTokenRevoked({ ...token, channel: 'other' }, NOW_S)).toBe(false);
    expect(list.isTokenRevoked({ ...token, channel: 'news' }, NOW_S)).toBe(true);
  });

  it('counts bans by key, and forgets what was removed or has ended', () => {
    const list = new BanList();
    for (const expireAt of [NOW_S + 1, NOW_S + 10]) {
      list.put({ kind: 'user', user: 'u', expireAt });
      list.put({ kind: 'token', tokenId: 'u', expireAt });
      list.put({ kind: 'user_tokens', user: 'u', channel: '', issuedBefore: 1, expireAt });
      list.put({ kind: 'user_tokens', user: 'u', channel: 'c', issuedBefore: 1, expireAt: 0 });
    }
    expect(list.size).toBe(4);
    list.dropEnded(NOW_S + 9);
    expect(list.size).toBe(4);
    list.dropEnded(NOW_S + 10);
    expect(list.size).toBe(1);
    list.remove({ kind: 'user_tokens', user: 'u', channel: 'c' });
    list.remove({ kind: 'user_tokens', user: 'u', channel: 'c' });
    expect(list.size).toBe(0);
  });
});
