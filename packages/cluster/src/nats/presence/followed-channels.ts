import type { Msg, Subscription } from '@nats-io/nats-core';
import { withDeadline, type Clock, type Log, type TimerHandle } from '@carillon/service-kit';
import type { NatsLink } from '../nats-connection.ts';
import { copyOf } from '../request/direct-get.ts';
import { FreshFlight } from '../request/fresh-flight.ts';
import type { PresenceEntry } from './presence-entry.ts';

/** A channel is followed from its second read within this time on, until nobody read it for so long, ms. */
const INTEREST_MS = 10_000;
/** How soon what is followed is read again: once soon, for a replica that was behind at first, then seldom, ms. */
const FIRST_REFRESH_MS = 2_000;
const REFRESH_MS = 30_000;
const CHECK_MS = 1_000;
const MAX_CHANNELS = 256;
/** Of all channels together. */
const MAX_ENTRIES = 200_000;
const MAX_NOTED_READS = 4_096;

export interface FollowedChannelsDeps {
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlineMs: number;
  /** Undefined for what cannot be read. */
  readonly decode: (bytes: Uint8Array) => PresenceEntry | undefined;
  /** Reads all entries of a channel from the stream. */
  readonly read: (channel: string, onBytes: (bytes: Uint8Array) => void) => Promise<void>;
}

/** Entries of a channel as they are now; the same object for as long as the channel is followed. */
export interface FollowedEntries extends Iterable<PresenceEntry> {
  /** Another number after each change. */
  readonly revision: number;
}

/**
 * Entries of the channels that are read often, in memory: writes of presence are messages to everybody who listens, so
 * one read and a subscription stand for all reads that follow. What a subscription missed is there again after the next
 * refresh; after an outage it begins anew.
 */
export class FollowedChannels {
  readonly #deps: FollowedChannelsDeps;
  readonly #channels: Map<string, FollowedChannel> = new Map();
  /** When channels that are not followed were read last; oldest first. */
  readonly #notedReads: Map<string, number> = new Map();
  /** One ping proves whatever was asked before it was sent. */
  readonly #pings: FreshFlight<'ping', void>;
  readonly #stopListening: () => void;
  #timer: TimerHandle | undefined = undefined;
  #isClosed = false;

  constructor(deps: FollowedChannelsDeps) {
    this.#deps = deps;
    this.#pings = new FreshFlight({ clock: deps.clock });
    this.#stopListening = deps.link.onReconnect(() => this.#dropAll());
  }

  /**
   * Entries of the channel, of dead nodes too; undefined when the stream has to be asked. Never rejects.
   *
   * invariant: what this NATS server acknowledged before the call is in the answer: its copy was sent here before the
   * answer to our ping is.
   */
  async entries(channel: string): Promise<FollowedEntries | undefined> {
    const followed = this.#followedFor(channel);
    if (followed === undefined) return undefined;
    const { link, clock, deadlineMs, log } = this.#deps;
    try {
      await this.#pings.run('ping', () => withDeadline(() => link.main.flush(), deadlineMs, 'nats_timeout', clock));
    } catch (error) {
      log.debug('can not tell whether followed presence is current', { channel, error });
      return undefined;
    }
    return followed.isLoaded && link.isConnected ? followed : undefined;
  }

  #followedFor(channel: string): FollowedChannel | undefined {
    const now = this.#deps.clock.monotonic();
    const followed = this.#channels.get(channel);
    if (followed === undefined) {
      this.#noteRead(channel, now);
      return undefined;
    }
    followed.readAt = now;
    return followed.isLoaded && this.#deps.link.isConnected ? followed : undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    this.#timer?.cancel();
    this.#dropAll();
    this.#notedReads.clear();
  }

  #noteRead(channel: string, now: number): void {
    const before = this.#notedReads.get(channel);
    this.#notedReads.delete(channel);
    const isWanted = before !== undefined && now - before < INTEREST_MS;
    if (isWanted && this.#channels.size < MAX_CHANNELS && this.#deps.link.isConnected && !this.#isClosed) {
      this.#follow(channel, now);
      return;
    }
    this.#notedReads.set(channel, now);
    const [oldest] = this.#notedReads.keys();
    if (this.#notedReads.size > MAX_NOTED_READS && oldest !== undefined) this.#notedReads.delete(oldest);
  }

  #follow(channel: string, now: number): void {
    const followed = new FollowedChannel(channel, this.#deps);
    followed.readAt = now;
    this.#channels.set(channel, followed);
    this.#load(followed, FIRST_REFRESH_MS);
    this.#schedule();
  }

  #load(followed: FollowedChannel, refreshMs: number): void {
    const { clock, log } = this.#deps;
    followed.refreshAt = clock.monotonic() + refreshMs;
    followed.load().then(
      () => {
        let total = 0;
        for (const { entries } of this.#channels.values()) total += entries.size;
        if (total > MAX_ENTRIES) this.#drop(followed);
      },
      (error: unknown) => {
        log.debug('can not follow the presence of a channel', { channel: followed.channel, error });
        this.#drop(followed);
      },
    );
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#channels.size === 0 || this.#isClosed) return;
    this.#timer = this.#deps.clock.setTimer(CHECK_MS, () => {
      this.#timer = undefined;
      const now = this.#deps.clock.monotonic();
      for (const followed of this.#channels.values()) {
        if (now - followed.readAt > INTEREST_MS) this.#drop(followed);
        else if (now >= followed.refreshAt) this.#load(followed, REFRESH_MS);
      }
      this.#schedule();
    });
    this.#timer.unref();
  }

  #drop(followed: FollowedChannel): void {
    followed.stop();
    if (this.#channels.get(followed.channel) === followed) this.#channels.delete(followed.channel);
  }

  #dropAll(): void {
    for (const followed of this.#channels.values()) this.#drop(followed);
  }
}

class FollowedChannel implements FollowedEntries {
  readonly channel: string;
  revision = 0;
  /** By subject. */
  entries: Map<string, PresenceEntry> = new Map();
  isLoaded = false;
  readAt = 0;
  refreshAt = 0;
  readonly #deps: FollowedChannelsDeps;
  readonly #subscription: Subscription;
  /** What changed while the stream is read: newer than what the read gives. */
  #changed: Set<string> | undefined = undefined;

  constructor(channel: string, deps: FollowedChannelsDeps) {
    this.channel = channel;
    this.#deps = deps;
    const callback = (error: Error | null, message: Msg): void => {
      if (error === null) this.#onMessage(message);
    };
    const { main, subjects } = deps.link;
    this.#subscription = main.subscribe(subjects.presenceOfChannel(channel), { callback });
  }

  [Symbol.iterator](): Iterator<PresenceEntry> {
    return this.entries.values();
  }

  /** Rejects with an OperationalError. */
  async load(): Promise<void> {
    const { link, clock, deadlineMs, decode, read } = this.#deps;
    const changed = new Set<string>();
    this.#changed = changed;
    try {
      // The read has a connection of its own: the server must know of the subscription before it sees the read.
      if (!this.isLoaded) await withDeadline(link.main.flush(), deadlineMs, 'nats_timeout', clock);
      const next = new Map<string, PresenceEntry>();
      await read(this.channel, (bytes) => {
        const entry = decode(copyOf(bytes));
        if (entry === undefined) return;
        const subject = link.subjects.presence(this.channel, entry.nodeId, entry.info.client ?? '');
        if (!changed.has(subject)) next.set(subject, entry);
      });
      for (const subject of changed) {
        const entry = this.entries.get(subject);
        if (entry === undefined) next.delete(subject);
        else next.set(subject, entry);
      }
      this.entries = next;
      this.revision += 1;
      this.isLoaded = true;
    } finally {
      if (this.#changed === changed) this.#changed = undefined;
    }
  }

  stop(): void {
    this.#subscription.unsubscribe();
    this.entries.clear();
    this.revision += 1;
    this.isLoaded = false;
  }

  #onMessage({ subject, data }: Msg): void {
    this.#changed?.add(subject);
    this.revision += 1;
    // An empty message takes an entry away.
    const entry = data.length === 0 ? undefined : this.#deps.decode(copyOf(data));
    if (entry === undefined) this.entries.delete(subject);
    else this.entries.set(subject, entry);
  }
}
