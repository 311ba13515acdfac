import type { Clock, Log, TimerHandle } from '@carillon/service-kit';
import { BanList, type Ban } from '../../ban-list.ts';
import type { BanListener } from '../../bans.ts';
import { NoStreamError } from '../presence/stream-request.ts';
import { decodeBanRecord } from './ban-record.ts';
import type { BanStream, StoredRecord } from './ban-stream.ts';

/** How long a start waits for somebody who takes reads of the stream. */
const START_DEADLINE_MS = 10_000;
const START_RETRY_MS = 100;
/** How often a node looks for records whose copy it missed. */
const CHECK_MS = 1_000;
/** Checks between two looks at the stream as a whole, and at bans that have ended. */
const CHECKS_PER_REVIEW = 30;
/** Pause before a record is looked for again that some replica did not have yet; doubled each time. */
const FIRST_RETRY_MS = 20;
const MAX_RETRIES = 5;

export interface BanFollowerDeps {
  readonly stream: Pick<BanStream, 'readFrom' | 'state'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly isConnected: () => boolean;
  /** Told of changes. */
  readonly listener: BanListener;
  readonly checkMs?: number | undefined;
}

/**
 * Keeps a list of bans as the stream has them. It follows the stream by its sequence: copies of what is stored come at
 * once, a look every second finds what was missed, and after an outage everything is read again.
 *
 * invariant: records are applied in the order of the stream, so an older one never takes the place of a newer one.
 */
export class BanFollower {
  readonly #stream: BanFollowerDeps['stream'];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #isConnected: () => boolean;
  readonly #listener: BanListener;
  readonly #checkMs: number;
  #list: BanList = new BanList();
  /** All records up to this sequence have been applied. */
  #appliedTo = 0;
  #created = '';
  /** The one sync under way; it goes on while there is a reload to do or a higher `#wantedTo`. */
  #syncing: Promise<void> | undefined;
  #needsReload = true;
  #wantedTo = 0;
  #checks = 0;
  #timer: TimerHandle | undefined;
  #isFailing = false;
  #isClosed = false;

  constructor({ stream, clock, log, isConnected, listener, checkMs }: BanFollowerDeps) {
    this.#stream = stream;
    this.#clock = clock;
    this.#log = log;
    this.#isConnected = isConnected;
    this.#listener = listener;
    this.#checkMs = checkMs ?? CHECK_MS;
  }

  /** Another one after each reload. */
  get list(): BanList {
    return this.#list;
  }

  /** Reads everything, then follows. */
  async start(): Promise<void> {
    await this.#firstSync();
    this.#scheduleCheck();
  }

  /** A record that somebody stored; perhaps not the next one. */
  hear(record: StoredRecord): void {
    if (!this.#take(record)) this.#syncInBackground();
  }

  /** A record that this node stored: resolves when it counts here. Never rejects. */
  async adopt(record: StoredRecord): Promise<void> {
    if (this.#take(record)) return;
    try {
      await this.#sync();
    } catch (error) {
      this.#log.debug('a ban is stored, and bans before it can not be read now', { error });
    }
    // No replica had it yet: it counts here all the same, and once more when its turn comes.
    if (this.#appliedTo < record.sequence || this.#needsReload) this.#apply(record);
  }

  /** What was heard may not be all there is: reads everything again as soon as that can be. */
  reload(): void {
    this.#needsReload = true;
    this.#syncInBackground();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await Promise.allSettled([this.#syncing]);
  }

  /** Applies a record whose turn it is. False when others have to be read before it. */
  #take(record: StoredRecord): boolean {
    const { sequence } = record;
    const isFollowing = this.#syncing === undefined && !this.#needsReload;
    if (isFollowing && sequence <= this.#appliedTo) return true;
    if (isFollowing && sequence === this.#appliedTo + 1) {
      this.#apply(record);
      this.#appliedTo = sequence;
      return true;
    }
    this.#wantedTo = Math.max(this.#wantedTo, sequence);
    return false;
  }

  /** The replicas of a stream that was made a moment ago, or whose servers have just started, take reads a little later. */
  async #firstSync(): Promise<void> {
    const giveUpAt = this.#clock.monotonic() + START_DEADLINE_MS;
    for (;;) {
      try {
        return await this.#sync();
      } catch (error) {
        if (!(error instanceof NoStreamError) || this.#isClosed || this.#clock.monotonic() > giveUpAt) throw error;
      }
      await this.#pause(START_RETRY_MS);
    }
  }

  /** Brings the list up to what the stream has now; joins a sync that is under way, which sees to what is asked now. */
  #sync(): Promise<void> {
    this.#syncing ??= this.#runSync();
    return this.#syncing;
  }

  #syncInBackground(): void {
    if (this.#isClosed || !this.#isConnected()) return;
    this.#sync().then(
      () => {
        if (this.#isFailing) this.#log.info('bans are followed again');
        this.#isFailing = false;
      },
      (error: unknown) => {
        if (this.#isClosed || this.#isFailing) return;
        this.#isFailing = true;
        this.#log.warn('bans can not be followed, those known go on to count', { error });
      },
    );
  }

  async #runSync(): Promise<void> {
    try {
      for (let retries = 0; retries < MAX_RETRIES && !this.#isClosed;) {
        if (this.#needsReload) await this.#reload();
        const foundAny = await this.#catchUp();
        if (this.#appliedTo >= this.#wantedTo && !this.#needsReload) return;
        if (foundAny) continue;
        await this.#pause(FIRST_RETRY_MS * 2 ** retries);
        retries += 1;
      }
      // A replica that is behind, or a record that has ended already: the checks see to what comes late.
      this.#wantedTo = this.#appliedTo;
    } finally {
      // In the turn of the last look: whoever asks later starts another.
      this.#syncing = undefined;
    }
  }

  /** Applies all that the stream has after what was applied. */
  async #catchUp(): Promise<boolean> {
    let foundAny = false;
    for (;;) {
      const page = await this.#stream.readFrom(this.#appliedTo + 1);
      for (const record of page) {
        if (record.sequence <= this.#appliedTo) continue;
        this.#apply(record);
        this.#appliedTo = record.sequence;
      }
      if (page.length === 0 || this.#isClosed) return foundAny;
      foundAny = true;
    }
  }

  /** Reads everything into a list of its own; until that is done, the old one counts. */
  async #reload(): Promise<void> {
    this.#needsReload = false;
    try {
      const { created, lastSequence, messages } = await this.#stream.state();
      const list = new BanList();
      let last = 0;
      let found = 0;
      for (let retries = 0; retries < MAX_RETRIES && !this.#isClosed;) {
        const page = await this.#stream.readFrom(last + 1);
        for (const record of page) applyRecord(list, record);
        found += page.length;
        last = page.at(-1)?.sequence ?? last;
        if (page.length > 0) continue;
        // Less than the leader has, by its last record and by their number: the replica that answers is behind.
        if (found >= messages || last >= lastSequence) break;
        await this.#pause(FIRST_RETRY_MS * 2 ** retries);
        retries += 1;
      }
      this.#created = created;
      this.#list = list;
      this.#appliedTo = last;
    } catch (error) {
      this.#needsReload = true;
      throw error;
    }
    this.#listener.onReloaded();
  }

  #apply(record: StoredRecord): void {
    const ban = applyRecord(this.#list, record);
    if (ban !== undefined) this.#listener.onBan(ban);
  }

  #scheduleCheck(): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.setTimer(this.#checkMs, () => {
      this.#checks += 1;
      if (this.#checks % CHECKS_PER_REVIEW === 0) this.#review();
      this.#syncInBackground();
      this.#scheduleCheck();
    });
    this.#timer.unref();
  }

  /** A stream that was deleted or restored does not continue the sequence that was followed. */
  #review(): void {
    this.#list.dropEnded(this.#clock.now() / 1000);
    if (!this.#isConnected()) return;
    this.#stream.state().then(
      ({ created, lastSequence }) => {
        if (created === this.#created && lastSequence >= this.#appliedTo) return;
        this.reload();
      },
      (error: unknown) => this.#log.debug('the stream of bans does not answer', { error }),
    );
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(delayMs, resolve));
  }
}

/** The ban if the record is of one. */
function applyRecord(list: BanList, { data }: StoredRecord): Ban | undefined {
  const record = decodeBanRecord(data);
  if (record === undefined) return undefined;
  if (record.kind === 'remove') {
    list.remove(record.key);
    return undefined;
  }
  list.put(record.ban);
  return record.ban;
}
