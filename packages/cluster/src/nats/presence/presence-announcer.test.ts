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
  removals = 0;
  reads = 0;
  /** What an overrun server drops without a word. */
  dropped: string | undefined;

  async declare(): Promise<void> {
    this.#fail();
    this.entries ??= new Map();
  }

  async put(subject: string, entry: Uint8Array): Promise<void> {
    this.#stream(subject).set(subject, entry);
    this.writes.push(subject);
  }

  async remove(...subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) {
      if (subject !== this.dropped) this.#stream(subject).delete(subject);
      this.writes.push(`-${subject}`);
    }
    this.removals += 1;
  }

  async read(filter: string, onEntry: (entry: Uint8Array) => void): Promise<void> {
    const entry = this.#stream(filter).get(filter);
    if (entry !== undefined) onEntry(entry);
  }

  async hasAny(subjects: readonly string[]): Promise<boolean> {
    this.reads += 1;
    return subjects.some((subject) => this.#stream(subject).has(subject));
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
    announcer = new PresenceAnnouncer({
      store,
      subjects,
      own,
      atTurnEnd: (fn) => void setImmediate(fn),
      nodeId: 'n',
      clock,
      log,
      checkMs: CHECK_MS,
    });
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

  const takeOut = (channel: string, client: string): Promise<void> => {
    own.delete(channel, client);
    return announcer.takeOut(channel, client);
  };

  it('takes out what goes in one turn with one request', async () => {
    const clients = ['c1', 'c2', 'c3', 'c4'];
    for (const client of clients) await add('a', client);
    await Promise.all(clients.slice(1).map((client) => takeOut('a', client)));
    expect(stored()).toEqual(expected('c1'));
    expect(store.removals).toBe(1);
    await takeOut('a', 'c1');
    expect(stored()).toEqual([]);
  });

  it('takes out a crowd in requests of a bounded size', async () => {
    const clients = Array.from({ length: 600 }, (_, index) => `c${index}`);
    for (const client of clients) await add('a', client);
    await Promise.all(clients.map((client) => takeOut('a', client)));
    expect(stored()).toEqual([]);
    expect(store.removals).toBe(3);
  });

  it('keeps who comes back in the turn in which it went', async () => {
    await add('a', 'c1');
    const gone = takeOut('a', 'c1');
    await add('a', 'c1');
    await gone;
    expect(stored()).toEqual(expected('c1'));
  });

  it('tells each who waits for a removal that it failed', async () => {
    for (const client of ['c1', 'c2']) await add('a', client);
    store.failure = new OperationalError('nats_unavailable', 'away');
    const outcomes = await Promise.allSettled([takeOut('a', 'c1'), takeOut('a', 'c2')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('removes once more what a shared removal has left behind', async () => {
    for (const client of ['c1', 'c2', 'c3', 'stays']) await add('a', client);
    store.dropped = expected('c2')[0];
    await Promise.all(['c1', 'c2', 'c3'].map((client) => takeOut('a', client)));
    expect(stored()).toEqual(expected('c2', 'stays'));
    store.dropped = undefined;
    await clock.advance(CHECK_MS);
    expect(stored()).toEqual(expected('stays'));
    await clock.advance(CHECK_MS * 3);
    expect(store.reads).toBe(1);
  });

  it('leaves those alone who have come back since', async () => {
    for (const client of ['c1', 'c2']) await add('a', client);
    await Promise.all(['c1', 'c2'].map((client) => takeOut('a', client)));
    for (const client of ['c1', 'c2']) await add('a', client);
    await clock.advance(CHECK_MS);
    expect(store.reads).toBe(0);
    expect(stored()).toEqual(expected('c1', 'c2'));
  });

  it('makes a stream without those who go when it is gone', async () => {
    for (const client of ['c1', 'c2']) await add('a', client);
    store.entries = undefined;
    await takeOut('a', 'c1');
    expect(stored()).toEqual(expected('c2'));
  });

  it('takes its entries out and leaves no timer when it is closed', async () => {
    await add('a', 'c1');
    await announcer.close();
    expect(store.entries?.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
