import { createSilentLog, FakeClock } from '@carillon/service-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Ban } from '../../ban-list.ts';
import { NoStreamError } from '../presence/stream-request.ts';
import { BanFollower } from './ban-follower.ts';
import { encodeBanRecord } from './ban-record.ts';
import type { StoredRecord, StreamState } from './ban-stream.ts';

const NOW_S = 1_800_000_000;
const block = (user: string, expireAt = 0): Ban => ({ kind: 'user', user, expireAt });

/** A stream in memory whose reads can be late or fail. */
class FakeStream {
  readonly records: StoredRecord[] = [];
  created = 'first';
  /** What readers see: replicas may be behind. */
  visibleTo = Number.POSITIVE_INFINITY;
  failure: Error | undefined;
  reads = 0;

  store(ban: Ban): StoredRecord {
    const record = { sequence: (this.records.at(-1)?.sequence ?? 0) + 1, data: encodeBanRecord({ kind: 'put', ban }) };
    this.records.push(record);
    return record;
  }

  async readFrom(sequence: number): Promise<readonly StoredRecord[]> {
    this.reads += 1;
    if (this.failure !== undefined) throw this.failure;
    return this.records
      .filter((record) => record.sequence >= sequence && record.sequence <= this.visibleTo)
      .slice(0, 2);
  }

  async state(): Promise<StreamState> {
    if (this.failure !== undefined) throw this.failure;
    const { created, records } = this;
    return { created, lastSequence: records.at(-1)?.sequence ?? 0, messages: records.length };
  }
}

describe('ban follower', () => {
  let clock: FakeClock;
  let stream: FakeStream;
  let follower: BanFollower;
  let told: string[];

  beforeEach(() => {
    clock = new FakeClock(NOW_S * 1000);
    stream = new FakeStream();
    told = [];
    follower = new BanFollower({
      stream,
      clock,
      log: createSilentLog(),
      isConnected: () => true,
      listener: {
        onBan: (ban) => told.push(ban.kind === 'user' ? ban.user : ban.kind),
        onReloaded: () => told.push('reloaded'),
      },
    });
  });

  const start = async (): Promise<void> => {
    const starting = follower.start();
    await clock.advance(1);
    await starting;
    told.length = 0;
  };
  const isBlocked = (user: string): boolean => follower.list.isUserBlocked(user, NOW_S);

  it('reads everything at the start, page by page', async () => {
    for (const user of ['a', 'b', 'c', 'd', 'e']) stream.store(block(user));
    await start();
    expect(follower.list.size).toBe(5);
  });

  it('waits at the start for a stream whose replicas take no reads yet', async () => {
    stream.store(block('a'));
    stream.failure = new NoStreamError('x');
    const starting = follower.start();
    await clock.advance(500);
    stream.failure = undefined;
    await clock.advance(500);
    await starting;
    expect(isBlocked('a')).toBe(true);
  });

  it('gives up at the start when nothing can be read', async () => {
    stream.failure = new NoStreamError('x');
    const starting = expect(follower.start()).rejects.toBe(stream.failure);
    await clock.advance(20_000);
    await starting;
  });

  it('applies what it hears in turn without a read', async () => {
    await start();
    const { reads } = stream;
    follower.hear(stream.store(block('a')));
    follower.hear(stream.store(block('b')));
    expect([isBlocked('a'), isBlocked('b'), stream.reads - reads]).toEqual([true, true, 0]);
  });

  it('reads what it missed before it goes on, in order', async () => {
    await start();
    stream.store(block('a', NOW_S + 10));
    stream.store(block('b'));
    follower.hear(stream.store(block('a')));
    expect(isBlocked('a')).toBe(false);
    await clock.advance(1);
    expect(told).toEqual(['a', 'b', 'a']);
    expect(follower.list.isUserBlocked('a', NOW_S + 100)).toBe(true);
  });

  it('does not let an older copy take the place of a newer record', async () => {
    await start();
    const older = stream.store(block('a'));
    follower.hear(older);
    follower.hear(stream.store(block('a', NOW_S - 1)));
    follower.hear(older);
    await clock.advance(1);
    expect(isBlocked('a')).toBe(false);
  });

  it('finds within a second what it never heard of', async () => {
    await start();
    stream.store(block('a'));
    await clock.advance(1_000);
    expect(isBlocked('a')).toBe(true);
  });

  it('asks a replica that is behind again, and again a second later', async () => {
    await start();
    stream.visibleTo = 0;
    follower.hear(stream.store(block('unheard')));
    stream.store(block('a'));
    follower.hear(stream.store(block('b')));
    await clock.advance(50);
    expect(isBlocked('b')).toBe(false);
    stream.visibleTo = Number.POSITIVE_INFINITY;
    await clock.advance(1_000);
    expect([isBlocked('a'), isBlocked('b')]).toEqual([true, true]);
  });

  it('does not take a list for whole that a replica that is behind has given', async () => {
    for (const user of ['a', 'b', 'c']) stream.store(block(user));
    await start();
    stream.visibleTo = 1;
    follower.reload();
    await clock.advance(100);
    expect(isBlocked('c')).toBe(true);
    stream.visibleTo = Number.POSITIVE_INFINITY;
    await clock.advance(1_000);
    expect([isBlocked('a'), isBlocked('c')]).toEqual([true, true]);
  });

  it('what this node stored counts here although it can not be read', async () => {
    await start();
    stream.store(block('unheard'));
    stream.failure = new Error('away');
    await follower.adopt(stream.store(block('a')));
    expect(isBlocked('a')).toBe(true);
  });

  it('keeps what it knows while nothing can be read, and reads everything when it can', async () => {
    await start();
    follower.hear(stream.store(block('a')));
    stream.failure = new Error('away');
    follower.reload();
    await clock.advance(5_000);
    expect(isBlocked('a')).toBe(true);
    stream.failure = undefined;
    stream.store(block('b'));
    await clock.advance(1_000);
    expect([isBlocked('a'), isBlocked('b')]).toEqual([true, true]);
    expect(told).toContain('reloaded');
  });

  it('notices within half a minute that the stream is another one', async () => {
    await start();
    for (const user of ['a', 'b', 'c']) follower.hear(stream.store(block(user)));
    stream.records.length = 0;
    stream.created = 'second';
    stream.store(block('d'));
    await clock.advance(31_000);
    expect([isBlocked('a'), isBlocked('d')]).toEqual([false, true]);
  });

  it('forgets bans that have ended', async () => {
    await start();
    follower.hear(stream.store(block('a', NOW_S + 10)));
    await clock.advance(31_000);
    expect(follower.list.size).toBe(0);
  });

  it('leaves no timer when it is closed', async () => {
    await start();
    await follower.close();
    await clock.advance(5_000);
    expect(clock.pendingTimers).toBe(0);
  });
});
