// Compares joined channels with their tops: all of them after a reconnect or a leader election, a few at a time always.
// Hundreds of channels per request, one request at a time.
import { withDeadline, type Clock, type Log, type TimerHandle } from '@carillon/service-kit';
import type { Subscription } from '@nats-io/nats-core';
import type { Retention } from '../../broker.ts';
import type { LogReader } from '../log/log-reader.ts';
import { isMetaExpired, needsTouch } from '../log/log-state.ts';
import type { NatsLink } from '../nats-connection.ts';
import type { LogRecord, LogState } from '../record/log-record.ts';
import type { LiveChannel } from './live-channel.ts';

export interface PositionRecheckDependencies {
  readonly link: NatsLink;
  readonly reader: LogReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly scrubPeriodMs: number;
  readonly touch: (channel: string, retention: Retention) => Promise<unknown>;
  /** Names of the channels to watch. */
  readonly channels: () => readonly string[];
  readonly find: (channel: string) => LiveChannel | undefined;
}

const CHANNELS_PER_READ = 256;
const PAUSE_MS = 5;
const AFTER_JOIN_MS = 1_000;
const CATCH_UPS_AT_ONCE = 32;
/** A channel that can't catch up goes on by itself; the others must not wait for it. */
const CATCH_UP_MS = 3_000;
/** Slices of a scrub period. */
const SCRUB_SLICES = 12;
/** Replicas follow the leader, after an election with some delay: look at once, and again. */
const RECHECK_DELAYS_MS: readonly number[] = [0, 1_000, 10_000];
const LEADER_ADVISORY = '$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.*';

export class PositionRecheck {
  readonly #deps: PositionRecheckDependencies;
  readonly #timers: Set<TimerHandle> = new Set();
  readonly #stopListening: () => void;
  readonly #advisories: Subscription;
  readonly #fresh: string[] = [];
  #scrubQueue: string[] = [];
  #sliceSize = 0;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(deps: PositionRecheckDependencies) {
    this.#deps = deps;
    const { link } = deps;
    this.#stopListening = link.onReconnect(() => this.#scheduleAll(undefined));
    const shardOfStream = new Map<string, number>();
    for (let shard = 0; shard < link.subjects.shards; shard++) shardOfStream.set(link.subjects.logStream(shard), shard);
    this.#advisories = link.main.subscribe(LEADER_ADVISORY, {
      callback: (error, message) => {
        if (error !== null) {
          deps.log.warn('no advisories of leader elections', { error });
          return;
        }
        const shard = shardOfStream.get(message.subject.slice(LEADER_ADVISORY.length - 1));
        if (shard !== undefined) this.#scheduleAll(shard);
      },
    });
    this.#after(deps.scrubPeriodMs / SCRUB_SLICES, () => this.#scrub());
  }

  /** A joined channel: other servers of a NATS cluster may learn of the interest a moment after its own one. */
  checkSoon(channel: string): void {
    this.#fresh.push(channel);
    if (this.#fresh.length > 1) return;
    this.#after(AFTER_JOIN_MS, () => this.#enqueue(this.#fresh.splice(0)));
  }

  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    if (!this.#deps.link.main.isClosed()) this.#advisories.unsubscribe();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #after(ms: number, run: () => void): void {
    if (this.#isClosed) return;
    const timer = this.#deps.clock.setTimer(ms, () => {
      this.#timers.delete(timer);
      run();
    });
    timer.unref();
    this.#timers.add(timer);
  }

  #scheduleAll(shard: number | undefined): void {
    for (const delayMs of RECHECK_DELAYS_MS) {
      this.#after(delayMs, () => {
        const { subjects } = this.#deps.link;
        const channels = this.#deps.channels();
        this.#enqueue(shard === undefined ? channels : channels.filter((name) => subjects.shardOf(name) === shard));
      });
    }
  }

  #scrub(): void {
    if (this.#scrubQueue.length === 0) {
      this.#scrubQueue = [...this.#deps.channels()];
      this.#sliceSize = Math.ceil(this.#scrubQueue.length / SCRUB_SLICES);
    }
    this.#enqueue(this.#scrubQueue.splice(0, this.#sliceSize));
    this.#after(this.#deps.scrubPeriodMs / SCRUB_SLICES, () => this.#scrub());
  }

  /** One after the other: rechecks of everything at once would be a storm of their own. */
  #enqueue(channels: readonly string[]): void {
    if (channels.length === 0) return;
    this.#running = this.#running
      .then(() => this.#check(channels))
      .catch((error: unknown) => this.#deps.log.warn('positions could not be rechecked', { error }));
  }

  async #check(channels: readonly string[]): Promise<void> {
    const { link, reader } = this.#deps;
    const byShard = new Map<number, string[]>();
    for (const channel of channels) {
      const shard = link.subjects.shardOf(channel);
      const names = byShard.get(shard);
      if (names === undefined) byShard.set(shard, [channel]);
      else names.push(channel);
    }
    for (const [shard, names] of byShard) {
      for (let start = 0; start < names.length && !this.#isClosed; start += CHANNELS_PER_READ) {
        const chunk = names.slice(start, start + CHANNELS_PER_READ);
        const tops = await reader.unmoved(shard, this.#believed(chunk));
        for (let at = 0; at < chunk.length; at += CATCH_UPS_AT_ONCE) {
          const group = chunk.slice(at, at + CATCH_UPS_AT_ONCE);
          await Promise.all(group.map((channel) => this.#compare(channel, tops.get(channel))));
        }
        await this.#pause();
      }
    }
  }

  #believed(channels: readonly string[]): Map<string, LogState> {
    const states = new Map<string, LogState>();
    for (const channel of channels) {
      const state = this.#deps.find(channel)?.state;
      if (state !== undefined) states.set(channel, state);
    }
    return states;
  }

  /** `unmoved`: the newest record, where it is still the one that was known. */
  async #compare(channel: string, unmoved: LogRecord | undefined): Promise<void> {
    const { clock, reader, find, touch, log } = this.#deps;
    const live = find(channel);
    if (live?.retention === undefined || this.#isClosed) return;
    const { state, retention } = live;
    const top = unmoved ?? (await reader.top(channel));
    if (top === undefined) {
      if (state !== undefined) live.onStreamGone();
      return;
    }
    if (isMetaExpired(top.state, retention, clock.now())) return;
    if (top.state.epoch !== state?.epoch || top.state.offset > live.known) await this.#catchUp(live, top);
    // Who listens counts as a reader. Where the meta ttl is as short as our turns, only real reads do.
    const isSlow = retention.historyMetaTtlMs > 4 * this.#deps.scrubPeriodMs;
    if (isSlow && !live.isSilent && needsTouch(top.state, retention, clock.now())) {
      await touch(channel, retention).catch((error: unknown) =>
        log.debug('a channel was not touched', { channel, error }),
      );
    }
  }

  async #catchUp(live: LiveChannel, top: LogRecord): Promise<void> {
    const { clock, log } = this.#deps;
    const catchingUp = live.catchUp(top);
    if (catchingUp === undefined) return;
    await withDeadline(catchingUp, CATCH_UP_MS, 'nats_catch_up', clock).catch((error: unknown) =>
      log.debug('a channel is still behind', { channel: live.channel, error }),
    );
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) resolve();
      else this.#deps.clock.setTimer(PAUSE_MS, resolve);
    });
  }
}
