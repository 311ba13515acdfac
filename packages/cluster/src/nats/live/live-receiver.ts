// Which channels this node receives: interest in live subjects, with a grace after the last subscriber, and the rechecks
// that find what a live subject lost (architecture §2.2).
import type { ClientInfo } from '@carillon/protocol/client';
import { OperationalError, withDeadline, type Clock, type Log, type TimerHandle } from '@carillon/service-kit';
import type { Subscription } from '@nats-io/nats-core';
import type { LiveReceiver as Receiver, Retention } from '../../broker.ts';
import type { BrokerMetrics } from '../broker-metrics.ts';
import { isMetaExpired } from '../log/log-state.ts';
import { isChangeOf } from '../record/live-message.ts';
import type { LogState } from '../record/log-record.ts';
import type { LogReader } from '../log/log-reader.ts';
import type { NatsLink } from '../nats-connection.ts';
import { LiveChannel, type LiveChannelDependencies } from './live-channel.ts';
import { PositionRecheck } from './position-recheck.ts';
import { RingBudget } from './recent-ring.ts';

export interface LiveReceiverDependencies {
  readonly link: NatsLink;
  readonly reader: LogReader;
  readonly receiver: Receiver;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BrokerMetrics;
  /** What joins and leaves of this node end with: they have been handed over when they come back. */
  readonly origin: Buffer;
  /** For one join, ms. */
  readonly deadlineMs: number;
  /** Payload bytes of recent publications over all channels. */
  readonly maxRecentBytes: number;
  /** Each joined channel with history is compared with its top once in this time, ms. */
  readonly scrubPeriodMs: number;
  /** Renews the life of epoch and top of a channel that somebody listens to. */
  readonly touch: (channel: string, retention: Retention) => Promise<unknown>;
}

interface Joined {
  readonly live: LiveChannel;
  readonly subscription: Subscription;
  /** Of the newest `join`; replaced when the channel gets a log. */
  ready: Promise<void>;
  /** Monotonic; undefined while joined. */
  partedUntil: number | undefined;
}

/** compat: a node leaves a topic a second or more after its last subscriber went (channels-and-config §2.6). */
const GRACE_MS = 1_000;
/** A mass reconnect costs a read per channel in this time, not one per client. */
const TRUST_MS = 5_000;
/**
 * Recoveries on this node within a second that ask the log, so that they are told all that was acknowledged before. More of
 * them are a mass reconnect.
 */
export const ASKING_RECOVERIES = 32;
/** Recoveries are counted for so long. */
export const RECOVERY_WINDOW_MS = 1_000;

export class LiveInterest {
  readonly #deps: LiveReceiverDependencies;
  readonly #shared: LiveChannelDependencies;
  readonly #channels: Map<string, Joined> = new Map();
  readonly #parted: Set<string> = new Set();
  readonly #recheck: PositionRecheck;
  readonly #stopListening: () => void;
  #graceTimer: TimerHandle | undefined;
  #flush: Promise<void> | undefined;
  #isClosed = false;
  #recoveries = 0;
  #recoveriesSince = Number.NEGATIVE_INFINITY;

  constructor(deps: LiveReceiverDependencies) {
    this.#deps = deps;
    const { receiver, reader, clock, log, metrics } = deps;
    this.#shared = { receiver, reader, clock, log, metrics, budget: new RingBudget(deps.maxRecentBytes) };
    this.#recheck = new PositionRecheck({
      link: deps.link,
      reader,
      clock,
      log,
      scrubPeriodMs: deps.scrubPeriodMs,
      touch: deps.touch,
      channels: () => this.#tracked(),
      find: (channel) => this.find(channel),
    });
    this.#stopListening = deps.link.onReconnect(() => {
      for (const { live } of this.#channels.values()) live.distrust();
    });
  }

  /**
   * Where a joined channel stands, for a recovery that need not ask the log, since many others do: a moment after the last
   * proof that nothing is missing. What comes later is handed over later, also to who has subscribed here meanwhile.
   */
  trusted(channel: string): LogState | undefined {
    if (this.#countRecovery() <= ASKING_RECOVERIES || !this.#deps.link.isConnected) return undefined;
    return this.find(channel)?.stateWithin(TRUST_MS);
  }

  /** Counts one more recovery: the number of those within about a second, this one included. */
  #countRecovery(): number {
    const now = this.#deps.clock.monotonic();
    if (now - this.#recoveriesSince >= RECOVERY_WINDOW_MS) {
      this.#recoveriesSince = now;
      this.#recoveries = 0;
    }
    this.#recoveries += 1;
    return this.#recoveries;
  }

  /** The channel when this node has joined it and knows where it stands. */
  find(channel: string): LiveChannel | undefined {
    const joined = this.#channels.get(channel);
    if (joined === undefined || !joined.live.isBased || joined.live.retention === undefined) return undefined;
    return joined.live;
  }

  async join(channel: string, retention: Retention | undefined): Promise<void> {
    if (this.#isClosed || this.#deps.link.main.isClosed()) {
      throw new OperationalError('nats_closed', 'the broker is closed');
    }
    let joined = this.#channels.get(channel);
    if (joined === undefined) {
      joined = this.#subscribe(channel, retention);
    } else {
      joined.partedUntil = undefined;
      this.#parted.delete(channel);
      joined.live.isSilent = false;
      if (retention !== undefined) this.#keepRetention(joined, retention);
    }
    await joined.ready;
  }

  /** Resolves when what this node has sent to the channel so far is handed over here; at once where it does not listen. */
  async heard(channel: string): Promise<void> {
    const joined = this.#channels.get(channel);
    if (joined === undefined || joined.live.isSilent) return;
    const { deadlineMs, clock, log } = this.#deps;
    try {
      await withDeadline(this.#flushed(), deadlineMs, 'nats_timeout', clock);
    } catch (error) {
      // It left at most once, as promised; whether it arrived is not known.
      log.debug('a publication was not heard', { channel, error });
    }
  }

  part(channel: string): void {
    const joined = this.#channels.get(channel);
    if (joined === undefined || joined.partedUntil !== undefined) return;
    joined.live.isSilent = true;
    joined.partedUntil = this.#deps.clock.monotonic() + GRACE_MS;
    this.#parted.add(channel);
    this.#graceTimer ??= this.#deps.clock.setTimer(GRACE_MS, () => this.#endGraces());
  }

  /** A join or leave that this node has sent. */
  onOwnChange(channel: string, kind: 'join' | 'leave', info: ClientInfo): void {
    const joined = this.#channels.get(channel);
    if (joined === undefined || joined.live.isSilent) return;
    if (kind === 'join') this.#deps.receiver.onJoin(channel, info);
    else this.#deps.receiver.onLeave(channel, info);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#graceTimer?.cancel();
    this.#stopListening();
    this.#recheck.close();
    for (const channel of this.#channels.keys()) this.#drop(channel);
  }

  #subscribe(channel: string, retention: Retention | undefined): Joined {
    const live = new LiveChannel(channel, retention, this.#shared);
    const { link, origin } = this.#deps;
    const subscription = link.main.subscribe(link.subjects.live(channel), {
      callback: (error, message) => {
        if (error === null) {
          if (!isChangeOf(origin, message.data)) live.onMessage(message.data);
        } else this.#deps.log.error('a live subject is refused', { channel, error });
      },
    });
    const joined: Joined = { live, subscription, ready: Promise.resolve(), partedUntil: undefined };
    this.#channels.set(channel, joined);
    joined.ready = this.#establish(joined);
    return joined;
  }

  #keepRetention(joined: Joined, retention: Retention): void {
    if (joined.live.retention !== undefined) {
      joined.live.retention = retention;
      return;
    }
    joined.live.rebase(retention);
    joined.ready = this.#establish(joined);
  }

  /** Subject first, top second: nothing falls between. A failure undoes the join. */
  async #establish(joined: Joined): Promise<void> {
    const { link, reader, clock, deadlineMs } = this.#deps;
    const { live } = joined;
    try {
      await link.whenConnected(deadlineMs);
      await withDeadline(this.#flushed(), deadlineMs, 'nats_timeout', clock);
      const { retention } = live;
      if (retention === undefined) return;
      const top = await reader.top(live.channel);
      live.base(top !== undefined && isMetaExpired(top.state, retention, clock.now()) ? undefined : top);
      this.#recheck.checkSoon(live.channel);
    } catch (cause) {
      if (this.#channels.get(live.channel) === joined) this.#drop(live.channel);
      if (cause instanceof OperationalError) throw cause;
      throw new OperationalError('nats_join', 'the live subject could not be joined', { cause });
    }
  }

  /** One round trip for all of a turn: the server has what was sent before, and what it sent back meanwhile is here. */
  #flushed(): Promise<void> {
    this.#flush ??= Promise.resolve().then(() => {
      this.#flush = undefined;
      return this.#deps.link.main.flush();
    });
    return this.#flush;
  }

  #endGraces(): void {
    this.#graceTimer = undefined;
    const now = this.#deps.clock.monotonic();
    for (const channel of this.#parted) {
      const partedUntil = this.#channels.get(channel)?.partedUntil ?? now;
      if (partedUntil > now) {
        // In the order of parting, so all that follow are later.
        this.#graceTimer = this.#deps.clock.setTimer(partedUntil - now, () => this.#endGraces());
        return;
      }
      this.#drop(channel);
    }
  }

  #drop(channel: string): void {
    const joined = this.#channels.get(channel);
    this.#parted.delete(channel);
    if (joined === undefined) return;
    this.#channels.delete(channel);
    joined.live.close();
    if (!this.#deps.link.main.isClosed()) joined.subscription.unsubscribe();
  }

  #tracked(): string[] {
    const names: string[] = [];
    for (const [name, { live }] of this.#channels) {
      if (live.isBased && live.retention !== undefined) names.push(name);
    }
    return names;
  }
}
