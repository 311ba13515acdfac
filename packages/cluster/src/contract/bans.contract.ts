import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ban } from '../ban-list.ts';
import type { BanStore } from '../bans.ts';
import { eventually } from './eventually.ts';

/** One cluster, used by all tests of the suite. */
export interface BansSetup {
  /** One or more; with several, tests write at the first and look at the last. */
  readonly nodes: readonly BanStore[];
  /** Unix time in ms, as the stores see it. */
  readonly now: () => number;
  close(): Promise<void>;
}

/** How soon a change must count everywhere, ms (tokens.md §9.1). */
const EFFECTIVE_MS = 1_000;
const DAY_S = 86_400;

/** The contract of the bans port (tokens.md §9.1). Each test uses names of its own. */
export function bansContract(name: string, makeSetup: () => Promise<BansSetup>): void {
  describe(`bans contract: ${name}`, () => {
    let setup: BansSetup;
    let first: BanStore;
    let last: BanStore;
    const nowS = (): number => setup.now() / 1000;
    const inADay = (): number => Math.floor(nowS()) + DAY_S;
    const everywhere = (check: (store: BanStore) => void): Promise<void> =>
      eventually(() => setup.nodes.forEach(check), EFFECTIVE_MS);
    const heardAt = (store: BanStore): Ban[] => {
      const heard: Ban[] = [];
      store.watch({ onBan: (ban) => heard.push(ban), onReloaded: () => undefined });
      return heard;
    };

    beforeAll(async () => {
      setup = await makeSetup();
      first = setup.nodes[0]!;
      last = setup.nodes.at(-1)!;
    });

    afterAll(() => setup?.close());

    it('a block counts here when the promise resolves, and everywhere within a second', async () => {
      await first.put({ kind: 'user', user: 'blocked', expireAt: 0 });
      expect(first.current.isUserBlocked('blocked', nowS())).toBe(true);
      await everywhere(({ current }) => expect(current.isUserBlocked('blocked', nowS())).toBe(true));
      expect(last.current.isUserBlocked('other', nowS())).toBe(false);
    });

    it('a block that is removed counts no more, anywhere', async () => {
      await first.put({ kind: 'user', user: 'forgiven', expireAt: inADay() });
      await everywhere(({ current }) => expect(current.isUserBlocked('forgiven', nowS())).toBe(true));
      await last.remove({ kind: 'user', user: 'forgiven' });
      expect(last.current.isUserBlocked('forgiven', nowS())).toBe(false);
      await everywhere(({ current }) => expect(current.isUserBlocked('forgiven', nowS())).toBe(false));
    });

    it('removing what was never there is fine', async () => {
      await first.remove({ kind: 'user', user: 'nobody' });
      await first.remove({ kind: 'token', tokenId: 'none' });
      await first.remove({ kind: 'user_tokens', user: 'nobody', channel: '' });
    });

    it('a later ban of the same key takes the place of the older one', async () => {
      await first.put({ kind: 'user', user: 'longer', expireAt: inADay() });
      await last.put({ kind: 'user', user: 'longer', expireAt: 0 });
      const inAYear = nowS() + 365 * DAY_S;
      await everywhere(({ current }) => expect(current.isUserBlocked('longer', inAYear)).toBe(true));
      await first.put({ kind: 'user', user: 'longer', expireAt: inADay() });
      await everywhere(({ current }) => expect(current.isUserBlocked('longer', inAYear)).toBe(false));
    });

    it('a ban that has ended already takes the older one away', async () => {
      await first.put({ kind: 'token', tokenId: 'ended', expireAt: 0 });
      await first.put({ kind: 'token', tokenId: 'ended', expireAt: Math.floor(nowS()) - 1 });
      const token = { user: '', tokenId: 'ended', issuedAt: 0 };
      await everywhere(({ current }) => expect(current.isTokenRevoked(token, nowS())).toBe(false));
    });

    it('revoked tokens and invalidated tokens are told apart by id, user, time and channel', async () => {
      await first.put({ kind: 'token', tokenId: 'jti é *>', expireAt: inADay() });
      await first.put({ kind: 'user_tokens', user: 'u', channel: '', issuedBefore: 100, expireAt: 0 });
      await first.put({ kind: 'user_tokens', user: 'w', channel: 'news', issuedBefore: 100, expireAt: 0 });
      await everywhere(({ current }) => {
        const isRevoked = (user: string, tokenId: string | undefined, issuedAt: number, channel?: string): boolean =>
          current.isTokenRevoked({ user, tokenId, issuedAt, channel }, nowS());
        expect(isRevoked('w', 'jti é *>', 500)).toBe(true);
        expect([isRevoked('u', 'a', 99), isRevoked('u', 'a', 100), isRevoked('u', 'a', 99, 'news')]).toEqual([
          true,
          false,
          true,
        ]);
        expect([isRevoked('w', 'a', 99), isRevoked('w', 'a', 99, 'news'), isRevoked('w', 'a', 99, 'x')]).toEqual([
          false,
          true,
          false,
        ]);
      });
    });

    it('those who watch hear of each ban once and as it was, until they stop', async () => {
      const heard = heardAt(last);
      const bans: Ban[] = [
        { kind: 'user', user: 'watched', expireAt: 0 },
        { kind: 'token', tokenId: 'watched', expireAt: inADay() },
        { kind: 'user_tokens', user: 'watched', channel: 'c', issuedBefore: 7, expireAt: 0 },
      ];
      for (const ban of bans) await first.put(ban);
      await eventually(() => expect(heard).toEqual(bans), EFFECTIVE_MS);
      const after: Ban[] = [];
      const stop = first.watch({ onBan: (ban) => after.push(ban), onReloaded: () => undefined });
      stop();
      await first.put({ kind: 'user', user: 'unheard', expireAt: 0 });
      expect(after).toEqual([]);
    });

    it('many bans at a time all count', async () => {
      const users = Array.from({ length: 300 }, (_, index) => `many ${index}`);
      const nodeOf = (index: number): BanStore => setup.nodes[index % setup.nodes.length]!;
      await Promise.all(users.map((user, index) => nodeOf(index).put({ kind: 'user', user, expireAt: 0 })));
      await everywhere(({ current }) => {
        expect(users.filter((user) => !current.isUserBlocked(user, nowS()))).toEqual([]);
      });
    });
  });
}
