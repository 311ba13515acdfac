import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { createSilentLog, FakeClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../contract/eventually.ts';
import { connectNats, type NatsLink } from '../nats-connection.ts';
import { FollowedChannels } from './followed-channels.ts';
import { decodePresenceEntry, encodePresenceEntry, type PresenceEntry } from './presence-entry.ts';

const log = createSilentLog();
const entryOf = (client: string): PresenceEntry => ({ nodeId: 'other', info: { user: 'u', client } });

describe('channels whose presence is read often', () => {
  let nats: TestNats;
  let reader: NatsLink;
  let writer: NatsLink;
  let clock: FakeClock;
  let followed: FollowedChannels;
  /** Clients that the stream is said to have, and what happens while it is read. */
  let stored: string[];
  let reads: number;
  let whileReading: () => Promise<void>;

  beforeEach(async () => {
    nats = await startNats();
    const prefix = `followed-${process.pid}-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e6)}`;
    [reader, writer] = [
      await connectNats({ url: nats.url, prefix, log }),
      await connectNats({ url: nats.url, prefix, log }),
    ];
    clock = new FakeClock();
    [stored, reads, whileReading] = [[], 0, async () => undefined];
    followed = new FollowedChannels({
      link: reader,
      clock,
      log,
      deadlineMs: 5_000,
      decode: decodePresenceEntry,
      read: async (_channel, onBytes) => {
        reads += 1;
        await whileReading();
        for (const client of stored) onBytes(encodePresenceEntry(entryOf(client)));
      },
    });
  });
  afterEach(async () => {
    followed.close();
    await Promise.all([reader.close(), writer.close()]);
    await nats.stop();
  });

  const clients = async (): Promise<string[] | undefined> => {
    const entries = await followed.entries('c');
    return entries === undefined ? undefined : [...entries].map(({ info }) => info.client ?? '').sort();
  };
  const write = async (client: string, isRemoved = false): Promise<void> => {
    const payload = isRemoved ? new Uint8Array(0) : encodePresenceEntry(entryOf(client));
    writer.publish(writer.subjects.presence('c', 'other', client), payload);
    await writer.main.flush();
  };
  const follow = async (): Promise<void> => {
    expect(await clients()).toBeUndefined();
    expect(await clients()).toBeUndefined();
    await eventually(async () => expect(await clients()).toBeDefined());
  };

  it('are read once, and then known by what is written', async () => {
    stored = ['a', 'b'];
    await follow();
    expect(await clients()).toEqual(['a', 'b']);
    await write('c');
    await write('a', true);
    // At once: the server has taken both.
    expect(await clients()).toEqual(['b', 'c']);
    expect(reads).toBe(1);
  });

  it('have another revision after each change only', async () => {
    stored = ['a'];
    await follow();
    const revision = async (): Promise<number | undefined> => (await followed.entries('c'))?.revision;
    const before = await revision();
    expect(await revision()).toBe(before);
    await write('b');
    const after = await revision();
    expect(after).not.toBe(before);
    expect(await revision()).toBe(after);
  });

  it('share a ping that was sent after the question, and none before it', async () => {
    stored = ['a'];
    await follow();
    const flush = vi.spyOn(reader.main, 'flush');
    const first = clients();
    await write('b');
    const others = await Promise.all(Array.from({ length: 20 }, clients));
    await first;
    expect(others).toEqual(Array.from({ length: 20 }, () => ['a', 'b']));
    // That of the first, one that the twenty may find under way, and one for all who came while it was.
    expect(flush.mock.calls.length).toBeLessThanOrEqual(3);
  });

  it('keep what was written while they were read', async () => {
    stored = ['goes'];
    whileReading = async () => {
      await write('comes');
      await write('goes', true);
      await reader.main.flush();
    };
    await follow();
    expect(await clients()).toEqual(['comes']);
  });

  it('are read again, so that what was missed comes back', async () => {
    stored = ['a'];
    await follow();
    stored = ['a', 'missed'];
    await clock.advance(2_500);
    await eventually(async () => expect(await clients()).toEqual(['a', 'missed']));
  });

  it('are forgotten when nobody reads them for a while, and one read does not follow a channel', async () => {
    await follow();
    await clock.advance(11_500);
    expect(await clients()).toBeUndefined();
    await clock.advance(11_500);
    expect(await clients()).toBeUndefined();
    expect(reads).toBeLessThanOrEqual(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('are not followed when the stream can not be read', async () => {
    whileReading = () => Promise.reject(new Error('as the test says'));
    await clients();
    await clients();
    await eventually(() => expect(reads).toBe(1));
    await reader.main.flush();
    expect(await clients()).toBeUndefined();
  });
});
