import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientInfo } from '@carillon/protocol/client';
import type { Presence } from '../presence.ts';
import { bytes, freshChannel } from './broker-setup.ts';
import { eventually } from './eventually.ts';

/** One cluster, used by all tests of the suite with channels of their own. */
export interface PresenceSetup {
  /** One or more; with several, tests write on the first and read on the last. */
  readonly nodes: readonly Presence[];
  close(): Promise<void>;
}

/** The contract of the presence port (channels-and-config §2.5, §7 items 73 and 74). */
export function presenceContract(name: string, makeSetup: () => Promise<PresenceSetup>): void {
  describe(`presence contract: ${name}`, () => {
    let setup: PresenceSetup | undefined;
    let writer: Presence;
    let reader: Presence;

    beforeAll(async () => {
      setup = await makeSetup();
      writer = setup.nodes[0]!;
      reader = setup.nodes.at(-1)!;
    });

    afterAll(async () => {
      await setup?.close();
    });

    const clients = async (presence: Presence, channel: string) => [...(await presence.members(channel)).keys()].sort();

    it('holds nobody in a channel that nobody is in', async () => {
      const channel = freshChannel();
      expect((await reader.members(channel)).size).toBe(0);
      expect(await reader.stats(channel)).toEqual({ numClients: 0, numUsers: 0 });
    });

    it('holds one entry per client with user, connection and channel info', async () => {
      const channel = freshChannel();
      const info = { user: 'u', client: 'c1', connInfo: bytes('{"a":1}'), chanInfo: Uint8Array.from([0, 255]) };
      await writer.add(channel, info);
      await writer.add(channel, { user: 'u', client: 'c2' });
      await eventually(async () => expect(await clients(reader, channel)).toEqual(['c1', 'c2']));
      const members = await reader.members(channel);
      expect(plain(members.get('c1'))).toEqual(plain(info));
      expect(plain(members.get('c2'))).toEqual({ user: 'u', client: 'c2', connInfo: [], chanInfo: [] });
    });

    it('is seen by who wrote it as soon as it is written', async () => {
      const channel = freshChannel();
      await writer.add(channel, { user: 'u', client: 'c1' });
      expect(await clients(writer, channel)).toEqual(['c1']);
      await writer.remove(channel, 'c1');
      expect(await clients(writer, channel)).toEqual([]);
    });

    it('replaces the entry of a client that is added again', async () => {
      const channel = freshChannel();
      await writer.add(channel, { user: 'u', client: 'c1', chanInfo: bytes('old') });
      await writer.add(channel, { user: 'u', client: 'c1', chanInfo: bytes('new') });
      await eventually(async () => {
        const members = await reader.members(channel);
        expect(members.size).toBe(1);
        expect(plain(members.get('c1'))['chanInfo']).toEqual([...bytes('new')]);
      });
    });

    it('replaces the entry of who is there, and of nobody else', async () => {
      const channel = freshChannel();
      await writer.add(channel, { user: 'u', client: 'c1', connInfo: bytes('old') });
      await writer.replace(channel, { user: 'u', client: 'c1', connInfo: bytes('new') });
      await writer.replace(channel, { user: 'u', client: 'c2' });
      await writer.add(channel, { user: 'u', client: 'c3' });
      await writer.remove(channel, 'c3');
      await writer.replace(channel, { user: 'u', client: 'c3' });
      await eventually(async () => {
        const members = await reader.members(channel);
        expect([...members.keys()]).toEqual(['c1']);
        expect(plain(members.get('c1'))['connInfo']).toEqual([...bytes('new')]);
      });
    });

    it('forgets who is removed, and only them', async () => {
      const channel = freshChannel();
      for (const client of ['c1', 'c2', 'c3']) await writer.add(channel, { user: client, client });
      await writer.remove(channel, 'c2');
      await eventually(async () => expect(await clients(reader, channel)).toEqual(['c1', 'c3']));
      for (const client of ['c1', 'c3']) await writer.remove(channel, client);
      await eventually(async () => expect(await clients(reader, channel)).toEqual([]));
    });

    it('takes back who was removed', async () => {
      const channel = freshChannel();
      await writer.add(channel, { user: 'u', client: 'c1' });
      await writer.remove(channel, 'c1');
      await writer.add(channel, { user: 'u', client: 'c1' });
      await eventually(async () => expect(await clients(reader, channel)).toEqual(['c1']));
    });

    it('does as the last call says when calls do not wait for each other', async () => {
      const channel = freshChannel();
      await Promise.all([
        writer.add(channel, { user: 'u', client: 'stays' }),
        writer.remove(channel, 'stays'),
        writer.add(channel, { user: 'u', client: 'stays' }),
        writer.add(channel, { user: 'u', client: 'goes' }),
        writer.remove(channel, 'goes'),
      ]);
      await eventually(async () => expect(await clients(reader, channel)).toEqual(['stays']));
    });

    it('removes who is not there without complaint', async () => {
      await expect(writer.remove(freshChannel(), 'nobody')).resolves.toBeUndefined();
    });

    it('keeps channels apart', async () => {
      const base = freshChannel();
      const channels = [base, `${base}.`, `${base} `, base.toUpperCase()];
      for (const [index, channel] of channels.entries()) await writer.add(channel, { user: 'u', client: `c${index}` });
      for (const [index, channel] of channels.entries()) {
        await eventually(async () => expect(await clients(reader, channel)).toEqual([`c${index}`]));
      }
    });

    it('gathers members of all nodes', async () => {
      const channel = freshChannel();
      const nodes = setup?.nodes ?? [];
      await Promise.all(nodes.map((node, index) => node.add(channel, { user: 'u', client: `c${index}` })));
      const expected = nodes.map((_, index) => `c${index}`);
      for (const node of nodes) {
        await eventually(async () => expect(await clients(node, channel)).toEqual(expected));
      }
    });

    it('counts clients, and users once each with all anonymous ones as one', async () => {
      const channel = freshChannel();
      const users = ['u1', 'u1', 'u2', '', ''];
      for (const [index, user] of users.entries()) await writer.add(channel, { user, client: `c${index}` });
      await eventually(async () => expect(await reader.stats(channel)).toEqual({ numClients: 5, numUsers: 3 }));
    });

    it('gives what it gave before, whatever happens afterwards', async () => {
      const channel = freshChannel();
      await writer.add(channel, { user: 'u', client: 'c1' });
      const before = await writer.members(channel);
      await writer.remove(channel, 'c1');
      expect([...before.keys()]).toEqual(['c1']);
    });
  });
}

/** Comparable, whichever of absent and empty an adapter gives. */
function plain(info: ClientInfo | undefined): Record<string, unknown> {
  if (info === undefined) throw new Error('no entry');
  const { user = '', client = '', connInfo = [], chanInfo = [] } = info;
  return { user, client, connInfo: [...connInfo], chanInfo: [...chanInfo] };
}
