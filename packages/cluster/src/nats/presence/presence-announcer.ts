import { OperationalError, type Clock, type Log, type TimerHandle } from '@carillon/service-kit';
import type { NatsSubjects } from '../nats-subjects.ts';
import { LeavingEntries } from './leaving-entries.ts';
import type { OwnEntries } from './own-entries.ts';
import { encodePresenceEntry } from './presence-entry.ts';
import type { PresenceStore } from './presence-store.ts';
import { NoStreamError } from './stream-request.ts';

/** How often is looked whether the stream still has what this node wrote, and unfinished writes are tried again. */
const CHECK_MS = 10_000;
/** The same after a check that failed: the stream may just be coming back. */
const RECHECK_MS = 1_000;
/** Writes in flight while everything is announced again: leaves room for those of subscribers that come. */
const ANNOUNCE_WINDOW = 128;
/** Writes that failed and wait for a repeat; beyond it everything of this node is written anew. */
const MAX_UNSETTLED = 50_000;

/** A member like any other of the channel that has no name: while it is there, nobody has dropped this node's entries. */
const SENTINEL_CHANNEL = '';
const SENTINEL_CLIENT = '';

/** What the announcer needs of the store. */
export type AnnouncerStore = Pick<
  PresenceStore,
  'declare' | 'put' | 'remove' | 'read' | 'hasAny' | 'purge' | 'lastSequence'
>;

export interface PresenceAnnouncerDeps {
  readonly store: AnnouncerStore;
  readonly subjects: NatsSubjects;
  readonly own: OwnEntries;
  /** Calls back when the turn ends, with what it publishes. */
  readonly atTurnEnd: (fn: () => void) => void;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly checkMs?: number | undefined;
}

/**
 * Keeps the stream in step with the entries of this node: writes changes, repeats what failed, and announces everything
 * again when the stream is gone, emptied by a restart, or purged of this node by peers that took it for dead.
 *
 * invariant: the sentinel is written after everything else, so a stream that has it has had all.
 */
export class PresenceAnnouncer {
  readonly #store: AnnouncerStore;
  readonly #subjects: NatsSubjects;
  readonly #own: OwnEntries;
  readonly #nodeId: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #checkMs: number;
  readonly #unsettled: Map<string, readonly [channel: string, client: string]> = new Map();
  readonly #leaving: LeavingEntries;
  #isLost = false;
  #mustPurge = false;
  #mustCheck = false;
  #restoring: Promise<void> | undefined;
  #checking: Promise<void> | undefined;
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor({ store, subjects, own, atTurnEnd, nodeId, clock, log, checkMs }: PresenceAnnouncerDeps) {
    this.#store = store;
    this.#subjects = subjects;
    this.#own = own;
    this.#leaving = new LeavingEntries({ store, own, atTurnEnd });
    this.#nodeId = nodeId;
    this.#clock = clock;
    this.#log = log;
    this.#checkMs = checkMs ?? CHECK_MS;
  }

  async start(): Promise<void> {
    await this.#store.declare();
    this.#scheduleCheck(this.#checkMs);
  }

  /** Writes that failed and are going to be repeated. */
  get numUnsettled(): number {
    return this.#unsettled.size;
  }

  /** Writes how things stand with one client; rejects when the stream can't take it now. */
  async write(channel: string, client: string): Promise<void> {
    try {
      await this.#writeOne(channel, client);
    } catch (error) {
      if (!(error instanceof NoStreamError)) throw error;
      this.#isLost = true;
      await this.restore();
      await this.#writeOne(channel, client);
    }
  }

  /** Takes an entry of this node, which `own` has no more, out of the stream; rejects when the stream can't take that now. */
  async takeOut(channel: string, client: string): Promise<void> {
    try {
      await this.#leaving.takeOut(this.#subjects.presence(channel, this.#nodeId, client), [channel, client]);
    } catch (error) {
      if (!(error instanceof NoStreamError)) throw error;
      // Nothing is left of it without a stream, and whoever makes the stream again announces only what there is.
      this.#isLost = true;
      await this.restore();
    }
  }

  /** Sees to it later that the stream says how things stand with this client then. */
  writeLater(channel: string, client: string): void {
    if (this.#unsettled.size < MAX_UNSETTLED) {
      this.#unsettled.set(this.#subjects.presence(channel, this.#nodeId, client), [channel, client]);
      return;
    }
    this.#unsettled.clear();
    this.#mustPurge = true;
    this.#isLost = true;
  }

  /** Announces everything again, since others may have dropped it. */
  lost(): void {
    this.#isLost = true;
    void this.check();
  }

  /** Makes the stream if need be and writes all entries of this node. Merged with one under way. */
  restore(): Promise<void> {
    this.#restoring ??= this.#restore().finally(() => {
      this.#restoring = undefined;
    });
    return this.#restoring;
  }

  /** Looks whether the entries are still there, and does what is due; again if asked for meanwhile. Never rejects. */
  check(): Promise<void> {
    this.#mustCheck = true;
    this.#checking ??= this.#checkWhileAsked().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** Ends the checks and takes this node's entries out of the stream, if it can be reached. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#store.purge(this.#subjects.presenceOfNode(this.#nodeId));
  }

  async #checkWhileAsked(): Promise<void> {
    let hasFailed = false;
    while (this.#mustCheck && !this.#isClosed) {
      this.#mustCheck = false;
      try {
        await this.#check();
        hasFailed = false;
      } catch (error) {
        hasFailed = true;
        this.#log.warn('could not check presence, trying again', { error });
      }
    }
    if (!this.#isClosed) this.#scheduleCheck(hasFailed ? Math.min(RECHECK_MS, this.#checkMs) : this.#checkMs);
  }

  #scheduleCheck(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(delayMs, () => void this.check());
    this.#timer.unref();
  }

  async #check(): Promise<void> {
    if (this.#isLost || !(await this.#hasSentinel())) await this.restore();
    for (const [channel, client] of await this.#leaving.verify()) this.writeLater(channel, client);
    for (const [subject, [channel, client]] of this.#unsettled) {
      if (this.#isClosed) return;
      // Out before the write, so that a failure reported meanwhile is not taken for done.
      this.#unsettled.delete(subject);
      await this.#repeat(channel, client);
    }
  }

  async #hasSentinel(): Promise<boolean> {
    // Who has nothing there has nothing to lose.
    if (this.#own.size === 0) return true;
    let isThere = false;
    try {
      await this.#store.read(this.#subjects.presence(SENTINEL_CHANNEL, this.#nodeId, SENTINEL_CLIENT), () => {
        isThere = true;
      });
    } catch (error) {
      if (!(error instanceof NoStreamError)) throw error;
    }
    return isThere;
  }

  async #restore(): Promise<void> {
    this.#isLost = false;
    try {
      await this.#store.declare();
      if (this.#mustPurge) {
        await this.#store.purge(this.#subjects.presenceOfNode(this.#nodeId), await this.#store.lastSequence());
        this.#mustPurge = false;
      }
      await this.#announceAll();
    } catch (error) {
      this.#isLost = true;
      throw error;
    }
  }

  async #announceAll(): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const entries = this.#own.all();
    const announce = async (): Promise<void> => {
      // All workers share the one iterator, and stop at the first failure of any.
      for (const [channel, client] of entries) {
        if (this.#isClosed || this.#isLost) return;
        try {
          await this.#writeOne(channel, client);
        } catch (error) {
          this.#isLost = true;
          throw error;
        }
      }
    };
    const workers = Array.from({ length: Math.min(ANNOUNCE_WINDOW, this.#own.size) }, announce);
    const failed = (await Promise.allSettled(workers)).find((worker) => worker.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    if (this.#isClosed || this.#isLost) throw new OperationalError('presence_interrupted', 'lost again meanwhile');
    const sentinel = encodePresenceEntry({ nodeId: this.#nodeId, info: {} });
    await this.#store.put(this.#subjects.presence(SENTINEL_CHANNEL, this.#nodeId, SENTINEL_CLIENT), sentinel);
    if (this.#own.size === 0) return;
    this.#log.info('announced presence', {
      entries: this.#own.size,
      durationMs: Math.round(this.#clock.monotonic() - startedAt),
    });
  }

  async #repeat(channel: string, client: string): Promise<void> {
    try {
      await this.#writeOne(channel, client);
    } catch (error) {
      this.writeLater(channel, client);
      throw error;
    }
  }

  #writeOne(channel: string, client: string): Promise<void> {
    const info = this.#own.get(channel, client);
    const subject = this.#subjects.presence(channel, this.#nodeId, client);
    this.#leaving.precede(subject);
    if (info === undefined) return this.#store.remove(subject);
    return this.#store.put(subject, encodePresenceEntry({ nodeId: this.#nodeId, info }));
  }
}
