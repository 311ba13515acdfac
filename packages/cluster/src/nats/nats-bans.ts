import type { Msg, Subscription } from '@nats-io/nats-core';
import { OperationalError, type Clock, type Log, type TimerHandle } from '@carillon/service-kit';
import { BanList, isRunning, type Ban, type BanKey } from '../ban-list.ts';
import { MAX_BANS, type BanListener, type BanStore, type BanView } from '../bans.ts';
import { bansFullError } from '../memory/memory-bans.ts';
import { banToken, decodeBanRecord, encodeBanRecord, type BanRecord } from './bans/ban-record.ts';
import { banStreamConfig, BanStream, sequenceOf, type StoredRecord } from './bans/ban-stream.ts';
import type { NatsLink } from './nats-connection.ts';
import { declareStreams } from './nats-streams.ts';
import { NoStreamError } from './presence/stream-request.ts';
import { Requester } from './request/requester.ts';

const REQUEST_DEADLINE_MS = 5_000;
/** How long a start waits for somebody who takes reads of the stream. */
const START_DEADLINE_MS = 10_000;
const START_RETRY_MS = 100;
/** How often a node looks for records whose copy it missed. */
const CHECK_MS = 1_000;
/** Checks between two looks at the stream as a whole, and at bans that have ended. */
const CHECKS_PER_REVIEW = 30;
/** How long the record of a removal stays: a node that was away for longer reads everything again. */
const REMOVAL_TTL_S = 3_600;
/** Pause before a record is looked for again that some replica did not have yet; doubled each time. */
const FIRST_RETRY_MS = 20;
const MAX_RETRIES = 5;

export interface NatsBansDeps {
  /** Shared; closed by its owner after this. */
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly replicas?: number | undefined;
  /** For tests: other bounds. */
  readonly maxBans?: number | undefined;
  readonly checkMs?: number | undefined;
}

/** Declares the stream and reads all bans; rejects with an OperationalError when NATS can't have or give them. */
export async function createNatsBans(deps: NatsBansDeps): Promise<BanStore> {
  const bans = new StreamBans(deps);
  try {
    await bans.start();
  } catch (error) {
    await bans.close();
    throw error;
  }
  return bans;
}

/**
 * Bans in a stream: one message per ban. Each node follows the stream by its sequence: copies of what is stored come at
 * once, a look every second finds what was missed, and after an outage everything is read again.
 *
 * invariant: records are applied in the order of the stream, so an older one never takes the place of a newer one.
 */
class StreamBans implements BanStore {
  readonly current: BanView;
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #replicas: number;
  readonly #maxBans: number;
  readonly #checkMs: number;
  readonly #writes: Requester;
  readonly #reads: Requester;
  readonly #stream: BanStream;
  readonly #listeners: Set<BanListener> = new Set();
  readonly #stops: (() => void)[] = [];
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

  constructor({ link, clock, log, replicas, maxBans, checkMs }: NatsBansDeps) {
    this.#link = link;
    this.#clock = clock;
    this.#log = log;
    this.#replicas = replicas ?? 1;
    this.#maxBans = maxBans ?? MAX_BANS;
    this.#checkMs = checkMs ?? CHECK_MS;
    this.#writes = new Requester({
      connection: link.main,
      publish: (subject, payload, options) => link.publish(subject, payload, options),
      clock,
    });
    this.#reads = new Requester({
      connection: link.reads,
      publish: (subject, payload, options) => {
        const reason = link.unavailable();
        if (reason !== undefined) throw new OperationalError('nats_unavailable', reason);
        link.reads.publish(subject, payload, options);
      },
      clock,
    });
    const { subjects } = link;
    const { subscription, stop } = this.#follow(subjects.liveBans());
    this.#stops.push(stop, () => subscription.unsubscribe());
    this.#stream = new BanStream({
      subjects,
      writes: this.#writes,
      reads: this.#reads,
      deadlineMs: REQUEST_DEADLINE_MS,
    });
    this.current = currentOf(() => this.#list);
  }

  async start(): Promise<void> {
    await this.#declare();
    await this.#firstSync();
    this.#scheduleCheck();
  }

  async put(ban: Ban): Promise<void> {
    const nowS = this.#clock.now() / 1000;
    if (!isRunning(ban.expireAt, nowS)) {
      await this.remove(ban);
      return;
    }
    if (this.#list.size >= this.#maxBans && !this.#list.has(ban)) throw bansFullError(this.#maxBans);
    await this.#write(ban, { kind: 'put', ban }, ban.expireAt === 0 ? 0 : ban.expireAt - nowS);
  }

  async remove(key: BanKey): Promise<void> {
    if (!this.#list.has(key)) {
      // Others may have put it a moment ago.
      await this.#sync();
      if (!this.#list.has(key)) return;
    }
    await this.#write(key, { kind: 'remove', key: keyOf(key) }, REMOVAL_TTL_S);
  }

  watch(listener: BanListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
    this.#writes.close();
    this.#reads.close();
    await this.#syncing?.catch(() => undefined);
  }

  #follow(subject: string): { readonly subscription: Subscription; readonly stop: () => void } {
    const subscription = this.#link.main.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) this.#onCopy(message);
      },
    });
    const stop = this.#link.onReconnect(() => {
      this.#needsReload = true;
      this.#syncInBackground();
    });
    return { subscription, stop };
  }

  #declare(): Promise<void> {
    const { main, subjects } = this.#link;
    return declareStreams([banStreamConfig(subjects, this.#replicas)], {
      connection: main,
      subjects,
      log: this.#log,
      clock: this.#clock,
      isCancelled: () => this.#isClosed,
    });
  }

  /** Resolves when the record counts here. */
  async #write(key: BanKey, record: BanRecord, ttlS: number): Promise<void> {
    const payload = encodeBanRecord(record);
    const token = banToken(key);
    let sequence: number;
    try {
      sequence = await this.#stream.write(token, payload, ttlS);
    } catch (error) {
      if (!(error instanceof NoStreamError)) throw error;
      await this.#declare();
      sequence = await this.#stream.write(token, payload, ttlS);
      this.#needsReload = true;
    }
    const stored = { sequence, data: payload };
    if (this.#take(stored)) return;
    await this.#sync();
    // No replica had it yet: it counts here all the same, and once more when its turn comes.
    if (this.#appliedTo < sequence) this.#apply(stored);
  }

  #onCopy(message: Msg): void {
    if (!this.#take({ sequence: sequenceOf(message), data: message.data })) this.#syncInBackground();
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
    if (this.#isClosed || !this.#link.isConnected) return;
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
    for (const listener of this.#listeners) listener.onReloaded();
  }

  #apply(record: StoredRecord): void {
    const ban = applyRecord(this.#list, record);
    if (ban === undefined) return;
    for (const listener of this.#listeners) listener.onBan(ban);
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
    if (!this.#link.isConnected) return;
    this.#stream.state().then(
      ({ created, lastSequence }) => {
        if (created === this.#created && lastSequence >= this.#appliedTo) return;
        this.#needsReload = true;
        this.#syncInBackground();
      },
      (error: unknown) => this.#log.debug('the stream of bans does not answer', { error }),
    );
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(delayMs, resolve));
  }
}

function currentOf(list: () => BanList): BanView {
  return {
    isUserBlocked: (user, nowS) => list().isUserBlocked(user, nowS),
    isTokenRevoked: (token, nowS) => list().isTokenRevoked(token, nowS),
    get size() {
      return list().size;
    },
  };
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

/** The key alone of what may be a whole ban. */
function keyOf(key: BanKey): BanKey {
  switch (key.kind) {
    case 'user':
      return { kind: key.kind, user: key.user };
    case 'token':
      return { kind: key.kind, tokenId: key.tokenId };
    case 'user_tokens':
      return { kind: key.kind, user: key.user, channel: key.channel };
  }
}
