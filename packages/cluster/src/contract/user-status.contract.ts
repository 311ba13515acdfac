import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UserStatusStore } from '../user-status.ts';

/** One cluster, used by all tests of the suite. */
export interface UserStatusSetup {
  /** One or more; with several, tests write at the first and read at the last. */
  readonly nodes: readonly UserStatusStore[];
  close(): Promise<void>;
}

/** The contract of the user status port (server-api §8). Each test uses users of its own. */
export function userStatusContract(name: string, makeSetup: () => Promise<UserStatusSetup>): void {
  describe(`user status contract: ${name}`, () => {
    let setup: UserStatusSetup;
    let first: UserStatusStore;
    let last: UserStatusStore;
    beforeAll(async () => {
      setup = await makeSetup();
      const [head] = setup.nodes;
      const tail = setup.nodes.at(-1);
      if (head === undefined || tail === undefined) throw new Error('a setup needs a node');
      [first, last] = [head, tail];
    });
    afterAll(() => setup.close());

    it('knows nothing of users nobody told of, and removes them gladly', async () => {
      expect(await last.get(['nobody', ''])).toEqual(new Map());
      await first.remove(['nobody']);
    });

    it('gives the last status of each user that has one', async () => {
      const names = ['one', 'two', 'with space', 'é*>.', 'x'.repeat(1_024)];
      await first.put(names, { active: 10, state: 'away' });
      await first.put(['two'], { active: 11, state: '' });
      const expected = new Map(
        names.map((user) => [user, { active: user === 'two' ? 11 : 10, state: user === 'two' ? '' : 'away' }]),
      );
      expect(await last.get([...names, 'three'])).toEqual(expected);
    });

    it('forgets whom it is told to forget, and takes them again', async () => {
      await first.put(['gone', 'stays'], { active: 1, state: 's' });
      await first.remove(['gone']);
      expect([...(await last.get(['gone', 'stays'])).keys()]).toEqual(['stays']);
      await first.put(['gone'], { active: 2, state: '' });
      expect((await last.get(['gone'])).get('gone')).toEqual({ active: 2, state: '' });
    });

    it('takes as many as a call may name', async () => {
      const users = Array.from({ length: 2_500 }, (_, index) => `many-${index}`);
      await first.put(users, { active: 5, state: '' });
      expect((await last.get(users)).size).toBe(users.length);
    });
  });
}
