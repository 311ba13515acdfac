import type { ClientInfo, Publication } from '@carillon/protocol/client';
import { NOT_SCHEDULED, OperationalError, TimerWheel, type Clock } from '@carillon/service-kit';
import type {
  Broker,
  HistoryPage,
  HistoryRequest,
  JoinOptions,
  LiveReceiver,
  PublishRequest,
  PublishResult,
  Retention,
} from '../broker.ts';
import { createEpoch, type RandomFill } from '../epoch.ts';
import { IdempotencyResults } from './idempotency-results.ts';
import { MemoryStream } from './memory-stream.ts';

/** Resolution of expiry by the wheel; reads and publishes see exact times. */
const WHEEL_TICK_MS = 1_000;
const WHEEL_SLOTS = 3_600;

/** Streams of one process. Beyond it publishes with history and reads of unknown channels fail. */
const MAX_STREAMS = 1_000_000;
/** Keys of five minutes: 3,300 keyed publishes per second before the oldest are forgotten early. */
const MAX_IDEMPOTENCY_KEYS = 1_000_000;
/** Memory that one stored publication may keep from being freed beyond its own bytes. */
const MAX_PINNED_BYTES = 16_384;

const NO_POSITION: PublishResult = { position: { offset: 0, epoch: '' } };

/** What a publication finds. */
interface StreamBefore {
  readonly epoch: string;
  /** Something is kept that it follows. */
  readonly hasPrevious: boolean;
}

const NO_STREAM: StreamBefore = { epoch: '', hasPrevious: false };

export interface MemoryBrokerDeps {
  readonly clock: Clock;
  readonly receiver: LiveReceiver;
  readonly randomFill?: RandomFill | undefined;
  readonly maxStreams?: number | undefined;
  readonly maxIdempotencyKeys?: number | undefined;
}

/**
 * The broker of a single process: streams live as long as it does. A publish appends and hands over to the receiver in
 * one step, before the promise is returned, so offsets arrive in order and everything announced can be read.
 * Keeps the buffer behind `PublishRequest.data`.
 */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #receiver: LiveReceiver;
  readonly #randomFill: RandomFill | undefined;
  readonly #maxStreams: number;
  readonly #streams: Map<string, MemoryStream> = new Map();
  readonly #joined: Set<string> = new Set();
  readonly #results: IdempotencyResults;
  readonly #wheel: TimerWheel<MemoryStream>;
  #isClosed = false;

  constructor({ clock, receiver, randomFill, maxStreams, maxIdempotencyKeys }: MemoryBrokerDeps) {
    this.#clock = clock;
    this.#receiver = receiver;
    this.#randomFill = randomFill;
    this.#maxStreams = maxStreams ?? MAX_STREAMS;
    this.#results = new IdempotencyResults(maxIdempotencyKeys ?? MAX_IDEMPOTENCY_KEYS);
    this.#wheel = new TimerWheel({
      clock,
      tickMs: WHEEL_TICK_MS,
      slots: WHEEL_SLOTS,
      onDue: (stream) => this.#expire(stream),
    });
  }

  /** Streams that exist, expired ones included until somebody or the wheel notices. */
  get numStreams(): number {
    return this.#streams.size;
  }

  async publish(request: PublishRequest): Promise<PublishResult> {
    this.#assertOpen();
    const { channel, idempotencyKey = '' } = request;
    const now = this.#clock.monotonic();
    const first = idempotencyKey === '' ? undefined : this.#results.find(channel, idempotencyKey, now);
    if (first !== undefined) return { position: first.position, suppressed: 'idempotency' };
    const result = this.#publishOnce(request, now);
    // A call that a version suppressed published nothing, so a repeat of it is not a repeat of a publication.
    if (idempotencyKey !== '' && result.suppressed === undefined) {
      this.#results.remember(channel, idempotencyKey, result, now);
    }
    return result;
  }

  async publishJoin(channel: string, info: ClientInfo): Promise<void> {
    this.#assertOpen();
    if (this.#joined.has(channel)) this.#receiver.onJoin(channel, info);
  }

  async publishLeave(channel: string, info: ClientInfo): Promise<void> {
    this.#assertOpen();
    if (this.#joined.has(channel)) this.#receiver.onLeave(channel, info);
  }

  async join(channel: string, _options: JoinOptions): Promise<void> {
    this.#assertOpen();
    this.#joined.add(channel);
  }

  async part(channel: string): Promise<void> {
    this.#joined.delete(channel);
  }

  async history(channel: string, request: HistoryRequest): Promise<HistoryPage> {
    this.#assertOpen();
    const now = this.#clock.monotonic();
    const stream = this.#streamOf(channel, now, request.retention);
    const publications = stream.read(request);
    return { publications, top: stream.position };
  }

  async removeHistory(channel: string, _retention: Retention): Promise<void> {
    this.#assertOpen();
    this.#liveStream(channel, this.#clock.monotonic())?.clear();
  }

  unavailable(): string | undefined {
    return this.#isClosed ? 'closed' : undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wheel.stop();
    this.#streams.clear();
    this.#joined.clear();
  }

  #publishOnce(request: PublishRequest, now: number): PublishResult {
    const { channel, retention, version = 0, versionEpoch = '' } = request;
    if (retention === undefined) {
      this.#deliver(request, createPublication(request, 0), NO_STREAM);
      return NO_POSITION;
    }
    const stream = this.#streamOf(channel, now, retention);
    if (version > 0) {
      if (stream.suppresses(version, versionEpoch)) return { position: stream.position, suppressed: 'version' };
      stream.rememberVersion(version, versionEpoch);
    }
    const publication = createPublication(request, stream.nextOffset);
    const hasPrevious = stream.hasPublications;
    stream.append(publication, now, retention);
    const position = stream.position;
    this.#deliver(request, publication, { epoch: position.epoch, hasPrevious });
    return { position };
  }

  #deliver(
    { channel, delta: isWanted = false, trace }: PublishRequest,
    publication: Publication,
    { epoch, hasPrevious }: StreamBefore,
  ): void {
    if (!this.#joined.has(channel)) return;
    // compat: there is no patch to what is no longer kept (client-protocol §5.3).
    const delta = isWanted && hasPrevious;
    this.#receiver.onPublication(channel, { publication, epoch, delta, publishedAt: this.#clock.now(), trace });
  }

  /** The stream, made when there is none; its meta ttl starts again. */
  #streamOf(channel: string, now: number, retention: Retention): MemoryStream {
    const stream = this.#liveStream(channel, now) ?? this.#createStream(channel);
    stream.touch(now, retention);
    // The wheel looks again when it is due, so a deadline that moves on costs nothing here.
    const delayMs = Math.min(retention.historyTtlMs, retention.historyMetaTtlMs);
    if (stream.wheelSlot === NOT_SCHEDULED) this.#wheel.schedule(stream, delayMs);
    return stream;
  }

  #createStream(channel: string): MemoryStream {
    if (this.#streams.size >= this.#maxStreams) {
      throw new OperationalError('broker_full', `there are ${this.#maxStreams} streams already`);
    }
    const stream = new MemoryStream(channel, createEpoch(this.#randomFill));
    this.#streams.set(channel, stream);
    return stream;
  }

  #liveStream(channel: string, now: number): MemoryStream | undefined {
    const stream = this.#streams.get(channel);
    if (stream === undefined || now < stream.expiresAt || stream.expire(now)) return stream;
    this.#forget(stream);
    return undefined;
  }

  #expire(stream: MemoryStream): void {
    const now = this.#clock.monotonic();
    this.#results.expire(now);
    if (!stream.expire(now)) this.#forget(stream);
    // A stream without a list whose meta never expires waits for nothing.
    else if (stream.expiresAt < Infinity) this.#wheel.schedule(stream, stream.expiresAt - now);
  }

  #forget(stream: MemoryStream): void {
    this.#wheel.cancel(stream);
    this.#streams.delete(stream.channel);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OperationalError('broker_closed', 'the broker is closed', { retriable: false });
  }
}

/** One shape for all publications, whatever they carry: encoders and hubs read them on their hot path. */
function createPublication({ data, info, tags, version }: PublishRequest, offset: number): Publication {
  return { data: offset === 0 ? data : unpin(data), info, offset, tags, version: version === 0 ? undefined : version };
}

/** A small payload that was cut out of a big frame must not keep the whole frame for as long as it is stored. */
function unpin(data: Uint8Array): Uint8Array {
  return data.buffer.byteLength - data.byteLength > MAX_PINNED_BYTES ? data.slice() : data;
}
