import type { ClientInfo } from '@carillon/protocol/client';
import { describe, expect, it } from 'vitest';
import { KeptMembers } from './kept-members.ts';
import type { PresenceEntry } from './presence-entry.ts';

class Followed {
  revision = 0;
  readonly entries: PresenceEntry[] = [];

  add(nodeId: string, client: string, user = 'u'): void {
    this.entries.push({ nodeId, info: { user, client } });
    this.revision += 1;
  }

  [Symbol.iterator](): Iterator<PresenceEntry> {
    return this.entries.values();
  }
}

describe('members of a followed channel', () => {
  const setUp = () => {
    const kept = new KeptMembers();
    const followed = new Followed();
    const alive = new Set(['n1', 'n2']);
    const read = (): ReadonlyMap<string, ClientInfo> => kept.of(followed, (nodeId) => alive.has(nodeId));
    followed.add('n1', 'a');
    followed.add('n2', 'b');
    followed.add('gone', 'c');
    return { kept, followed, alive, read };
  };

  it('are the same map while nothing changes', () => {
    const { read } = setUp();
    const members = read();
    expect([...members.keys()]).toEqual(['a', 'b']);
    expect(read()).toBe(members);
  });

  it('are another map after each change, and the one before stays as it was', () => {
    const { followed, read } = setUp();
    const before = read();
    followed.add('n1', 'd');
    expect([...read().keys()]).toEqual(['a', 'b', 'd']);
    expect([...before.keys()]).toEqual(['a', 'b']);
  });

  it('go when their node does, and come when it is known', () => {
    const { alive, read } = setUp();
    read();
    alive.delete('n1');
    expect([...read().keys()]).toEqual(['b']);
    alive.add('gone');
    expect([...read().keys()]).toEqual(['b', 'c']);
    // A node without entries changes nothing.
    const members = read();
    alive.add('n3');
    expect(read()).toBe(members);
  });

  it('are counted', () => {
    const { kept, followed, read } = setUp();
    expect(kept.statsOf(read())).toEqual({ numClients: 2, numUsers: 1 });
    followed.add('n2', 'e', 'other');
    expect(kept.statsOf(read())).toEqual({ numClients: 3, numUsers: 2 });
  });
});
