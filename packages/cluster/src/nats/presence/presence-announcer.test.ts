import { createSilentLog, FakeClock, OperationalError } from '@carillon/service-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { createNatsSubjects } from '../nats-subjects.ts';
import { OwnEntries } from './own-entries.ts';
import { PresenceAnnouncer, type AnnouncerStore } from './presence-announcer.ts';
import { NoStreamError } from './stream-request.ts';

const subjects = createNatsSubjects({ prefix: 'c' });
const SENTINEL = subjects.presence('', 'n', '');
const CHECK_MS = 10_000;

/** The stream as a map; `failure` is what every request runs into. */
class MapStore implements AnnouncerStore {
  entries: Map<string, Uint8Array> | undefined;
  failure: Error | undefined;
  readonly writes: string[] = [];

  async declare(): Promise<void> {
    this.#fail();
    this.entries ??= new Map();
  }

  async put(subject: string, entry: Uint8Array): Promise<void> {
    this.#stream(subject).set(subject, entry);
    this.writes.push(subject);
  }

  async remove(subject: string): Promise<void> {
    this.#stream(subject).delete(subject);
    this.writes.push(`-${subject}`);
  }

  async read(filter: string, onEntry: (entry: Uint8Array) => void): Promise<void> {
    const entry = this.#stream(filter).get(filter);
    if (entry !== undefined) onEntry(entry);
  }

  async purge(): Promise<void> {
    this.#stream('purge').clear();
  }

  async lastSequence(): Promise<number> {
    return 0;
  }

  #stream(subject: string): Map<string, Uint8Array> {
    this.#fail();
    if (this.entries === undefined) throw new NoStreamError(subject);
    return this.entries;
  }

  #fail(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}

describe('presence announcer', () => {
  let clock: FakeClock;
  let store: MapStore;
  let own: OwnEntries;
  let announcer: PresenceAnnouncer;

  beforeEach(async () => {
    clock = new FakeClock();
    store = new MapStore();
    own = new OwnEntries();
    const log = createSilentLog();
    announcer = new PresenceAnnouncer({ store, subjects, own, nodeId: 'n', clock, log, checkMs: CHECK_MS });
    await announcer.start();
  });

  const add = async (channel: string, client: string): Promise<void> => {
    own.set(channel, { user: 'u', client });
    await announcer.write(channel, client);
  };
  const stored = (): string[] => [...(store.entries?.keys() ?? [])].filter((subject) => subject !== SENTINEL).sort();
  const expected = (...clients: string[]): string[] =>
    clients.map((client) => subjects.presence('a', 'n', client)).sort();

  it('asks nothing of a stream that it has nothing in', async () => {
    store.entries = undefined;
    await clock.advance(CHECK_MS * 3);
    expect(store.entries).toBeUndefined();
  });

  it('leaves a stream alone that has everything', async () => {
    await add('a', 'c1');
    await clock.advance(CHECK_MS);
    expect(store.entries?.has(SENTINEL)).toBe(true);
    store.writes.length = 0;
    await clock.advance(CHECK_MS * 5);
    expect(store.writes).toEqual([]);
  });

  it('announces everything at the next check when the stream was emptied, the sentinel last', async () => {
    for (const client of ['c1', 'c2', 'c3']) await add('a', client);
    await clock.advance(CHECK_MS);
    store.entries?.clear();
    store.writes.length = 0;
    await clock.advance(CHECK_MS);
    expect(stored()).toEqual(expected('c1', 'c2', 'c3'));
    expect(store.writes.at(-1)).toBe(SENTINEL);
  });

  it('makes the stream again and announces all when a write meets none', async () => {
    await add('a', 'c1');
    store.entries = undefined;
    await add('a', 'c2');
    expect(stored()).toEqual(expected('c1', 'c2'));
  });

  it('tries again soon after a check that failed', async () => {
    await add('a', 'c1');
    store.entries = undefined;
    store.failure = new OperationalError('nats_unavailable', 'away');
    announcer.lost();
    await clock.advance(3_000);
    store.failure = undefined;
    await clock.advance(1_000);
    expect(stored()).toEqual(expected('c1'));
  });

  it('repeats what failed, as things stand by then', async () => {
    await add('a', 'c1');
    store.failure = new OperationalError('nats_unavailable', 'away');
    own.delete('a', 'c1');
    announcer.writeLater('a', 'c1');
    own.set('a', { user: 'u', client: 'c2' });
    announcer.writeLater('a', 'c2');
    await clock.advance(CHECK_MS);
    expect(announcer.numUnsettled).toBe(2);
    store.failure = undefined;
    await clock.advance(CHECK_MS);
    expect(stored()).toEqual(expected('c2'));
    expect(announcer.numUnsettled).toBe(0);
  });

  it('writes everything anew when more failed than it can remember', async () => {
    await add('a', 'stays');
    await add('a', 'goes');
    own.delete('a', 'goes');
    for (let index = 0; index <= 50_000; index += 1) announcer.writeLater('a', `c${index}`);
    expect(announcer.numUnsettled).toBe(0);
    await clock.advance(CHECK_MS);
    expect(stored()).toEqual(expected('stays'));
  });

  it('takes its entries out and leaves no timer when it is closed', async () => {
    await add('a', 'c1');
    await announcer.close();
    expect(store.entries?.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
