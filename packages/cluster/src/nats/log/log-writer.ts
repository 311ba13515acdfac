// Appends to channel logs: one ChannelLog each, forgotten when idle and too many. Used by the node that owns a channel, and
// by any other when the owner does not answer.
import type { StreamPosition } from '@carillon/protocol/channel';
import { createEpoch } from '../../epoch.ts';
import type { PublishResult, Retention } from '../../broker.ts';
import { OperationalError, type Clock, type Log } from '@carillon/service-kit';
import type { BrokerMetrics } from '../broker-metrics.ts';
import type { NatsLink } from '../nats-connection.ts';
import type { LogState } from '../record/log-record.ts';
import type { PublicationBody } from '../record/publication-body.ts';
import type { LogPublisher } from '../request/log-publisher.ts';
import { ChannelLog, type ChannelLogDependencies } from './channel-log.ts';
import { IdempotencyWindow } from './idempotency-window.ts';
import type { LogReader } from './log-reader.ts';
import { RestKeeper } from '../rest/rest-keeper.ts';
import { SequenceBudget } from './slot-sequences.ts';

export interface LogWriterDependencies {
  readonly link: NatsLink;
  readonly publisher: LogPublisher;
  readonly reader: LogReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly idempotencyTtlMs: number;
  readonly metrics: BrokerMetrics;
}

export interface LogAppend {
  readonly channel: string;
  readonly retention: Retention;
  readonly body: PublicationBody;
  /** Empty: none. */
  readonly idempotencyKey: string;
  readonly versionEpoch: string;
  /** Another node has been asked before and may have stored it. */
  readonly isRepeat: boolean;
  /** With `isRepeat`: when it was asked, wall clock, ms. */
  readonly askedAt?: number | undefined;
}

export type LogClaim = Pick<LogAppend, 'channel' | 'retention' | 'idempotencyKey'>;

const MAX_CHANNELS = 100_000;
const MAX_KEYS = 200_000;
/** Sequences of slots, over all channels: 64 MiB. Channels beyond it look their next slot up before each append. */
const MAX_SEQUENCES = 8 * 1_024 * 1_024;

export class LogWriter {
  readonly #shared: ChannelLogDependencies;
  readonly #channels: Map<string, ChannelLog> = new Map();
  readonly #rests: RestKeeper;
  #isClosed = false;

  constructor({ link, publisher, reader, clock, log, idempotencyTtlMs, metrics }: LogWriterDependencies) {
    this.#rests = new RestKeeper({ clock, log, rest: (channel, deadlineMs) => this.#rest(channel, deadlineMs) });
    this.#shared = {
      link,
      publisher,
      reader,
      clock,
      log,
      idempotency: new IdempotencyWindow(idempotencyTtlMs, MAX_KEYS),
      sequences: new SequenceBudget(MAX_SEQUENCES),
      onUnmarked: (channel) => this.#rests.note(channel),
      createEpoch: () => createEpoch(),
      metrics,
    };
  }

  /**
   * Resolves when the log has acknowledged it; rejects with an OperationalError, at the latest after `deadlineMs`.
   * `onWritten` is told of what it resolves with before.
   */
  append(
    request: LogAppend,
    deadlineMs: number,
    onWritten?: (channel: string, position: StreamPosition) => void,
  ): Promise<PublishResult> {
    const { channel, retention, body, idempotencyKey, versionEpoch, isRepeat, askedAt } = request;
    const deadlineAt = this.#shared.clock.monotonic() + deadlineMs;
    return new Promise((resolve, reject) => {
      this.#channel(channel).push({
        kind: 'publication',
        retention,
        body,
        idempotencyKey,
        versionEpoch,
        isRepeat,
        askedAt,
        deadlineAt,
        resolve: (result) => {
          onWritten?.(channel, result.position);
          resolve(result);
        },
        reject,
      });
    });
  }

  /** Takes a key for a publication outside the stream; suppressed where one has had it before. Rejects as `append` does. */
  claim({ channel, retention, idempotencyKey }: LogClaim, deadlineMs: number): Promise<PublishResult> {
    const deadlineAt = this.#shared.clock.monotonic() + deadlineMs;
    return new Promise((resolve, reject) => {
      this.#channel(channel).push({ kind: 'claim', retention, idempotencyKey, deadlineAt, resolve, reject });
    });
  }

  /** Renews the life of epoch and top, or makes them. */
  async touch(channel: string, retention: Retention, deadlineMs: number): Promise<LogState> {
    const state = await this.#mark('touch', channel, retention, deadlineMs);
    if (state === undefined) throw new OperationalError('log_touch', 'the channel could not be created');
    return state;
  }

  /** Hides everything stored so far; fine where there is nothing. */
  async remove(channel: string, retention: Retention, deadlineMs: number): Promise<void> {
    await this.#mark('remove', channel, retention, deadlineMs);
  }

  /** A channel whose writer may not have lived to mark it. */
  noteUnmarked(channel: string): void {
    if (!this.#isClosed) this.#rests.note(channel);
  }

  /** NATS may have come back without what it had: nothing that was known of channels counts any more. */
  distrust(): void {
    for (const channel of this.#channels.values()) channel.distrust();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rests.close();
    const error = new OperationalError('nats_closed', 'the broker is closed');
    for (const channel of this.#channels.values()) channel.close(error);
    this.#channels.clear();
  }

  #mark(kind: 'touch' | 'remove', channel: string, retention: Retention, ms: number): Promise<LogState | undefined> {
    const deadlineAt = this.#shared.clock.monotonic() + ms;
    return new Promise((resolve, reject) => {
      this.#channel(channel).push({ kind, retention, deadlineAt, resolve, reject });
    });
  }

  #rest(channel: string, ms: number): Promise<LogState | undefined> {
    const deadlineAt = this.#shared.clock.monotonic() + ms;
    return new Promise((resolve, reject) => {
      this.#channel(channel).push({ kind: 'rest', deadlineAt, resolve, reject });
    });
  }

  #channel(name: string): ChannelLog {
    if (this.#isClosed) throw new OperationalError('nats_closed', 'the broker is closed');
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      if (this.#channels.size >= MAX_CHANNELS) this.#forgetIdle();
      channel = new ChannelLog(name, this.#shared);
      this.#channels.set(name, channel);
    }
    return channel;
  }

  /** The eldest tenth, idle ones: their tops are in the log. */
  #forgetIdle(): void {
    let left = MAX_CHANNELS / 10;
    for (const [name, channel] of this.#channels) {
      if (left-- <= 0) break;
      if (!channel.isIdle) continue;
      channel.forget();
      this.#channels.delete(name);
    }
  }
}
