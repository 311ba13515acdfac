// The broker on NATS (architecture §2). Publications of channels with history go to the node that owns the channel, which
// appends them to the log; NATS republishes each record on the channel's live subject. All else is core NATS.
//
//   const connection = await connectNats({ url, log });
//   const broker = await createNatsBroker({ connection, receiver, clock, log, nodes, nodeId, options: { role: 'edge' } });
//   …
//   await broker.close();
//   await connection.close();
//
// `nodes` gives the living nodes (Control.nodes); those of role `api` and `standalone` own channels. A broker of role
// `owner` answers write requests under `nodeId`; without a living owner each node appends by itself.
import { randomBytes } from 'node:crypto';

import type { ClientInfo } from '@carillon/protocol/client';
import { OperationalError, type Clock, type Log, type Metrics } from '@carillon/service-kit';
import type { Broker, HistoryPage, HistoryRequest, JoinOptions, LiveReceiver } from '../broker.ts';
import type { PublishRequest, PublishResult, Retention } from '../broker.ts';
import type { NodeRecord } from '../control.ts';
import { createBrokerMetrics } from './broker-metrics.ts';
import { LiveInterest } from './live/live-receiver.ts';
import { HistoryReads } from './log/history-reads.ts';
import { LogReader } from './log/log-reader.ts';
import { LogWriter } from './log/log-writer.ts';
import { RestSweep } from './rest/rest-sweep.ts';
import { StreamKeeper } from './log/stream-keeper.ts';
import { WriteRouter } from './owner/write-router.ts';
import { WriteServer } from './owner/write-server.ts';
import { WrittenPositions } from './log/written-positions.ts';
import type { NatsLink } from './nats-connection.ts';
import { channelStreams, declareStreams } from './nats-streams.ts';
import { ByteWriter } from './record/byte-writer.ts';
import { ORIGIN_BYTES, writeLivePublication, writePresenceChange } from './record/live-message.ts';
import type { PublicationBody } from './record/publication-body.ts';
import { createNonces, type Nonces } from './record/nonces.ts';
import { DirectGet } from './request/direct-get.ts';
import { OnceClaims } from './request/once-claims.ts';
import { asOperational, LogPublisher } from './request/log-publisher.ts';
import { createLinkRequesters } from './request/link-requesters.ts';
import { ReplyInbox } from './request/reply-inbox.ts';
import type { Requester } from './request/requester.ts';
import { StreamScan } from './request/stream-scan.ts';

export interface NatsBrokerOptions {
  /** `owner` (api, standalone) serves write requests; `edge` (gateway) only makes them. */
  readonly role: 'owner' | 'edge';
  /** Copies of each stream. Default 1; 3 in production. */
  readonly replicas?: number | undefined;
  /** Default `file`: history survives a restart of NATS. */
  readonly storage?: 'file' | 'memory' | undefined;
  /** Default 5 minutes. */
  readonly idempotencyTtlMs?: number | undefined;
  /** For one publish, all attempts together, ms. Default 3.5 s. */
  readonly publishDeadlineMs?: number | undefined;
  /** For one read of NATS, ms. Default 3 s. */
  readonly readDeadlineMs?: number | undefined;
  /** Default 64 MiB. */
  readonly maxRecentBytes?: number | undefined;
  /** Default 60 s. */
  readonly scrubPeriodMs?: number | undefined;
}

export interface NatsBrokerDependencies {
  /** Stays open when the broker closes. */
  readonly connection: NatsLink;
  readonly receiver: LiveReceiver;
  readonly clock: Clock;
  readonly log: Log;
  /** Living nodes, never awaits. */
  readonly nodes: () => readonly NodeRecord[];
  readonly nodeId: string;
  /** Undefined: nothing is counted. */
  readonly metrics?: Metrics | undefined;
  readonly options: NatsBrokerOptions;
}

const MAX_WRITTEN = 20_000;
const DEFAULT_IDEMPOTENCY_TTL_MS = 300_000;
/** With what the last attempt may take beyond it, less than the five seconds that clients wait for an answer. */
const DEFAULT_PUBLISH_DEADLINE_MS = 3_500;
/** For a publish that finds NATS disconnected: a client of NATS is at another server of the cluster in less. */
const RECONNECT_WAIT_MS = 1_500;
const DEFAULT_READ_DEADLINE_MS = 3_000;
const DEFAULT_RECENT_BYTES = 64 * 1_024 * 1_024;
const DEFAULT_SCRUB_PERIOD_MS = 60_000;

/** Without a stream there is no position. */
const PUBLISHED_LIVE: PublishResult = Object.freeze({ position: Object.freeze({ offset: 0, epoch: '' }) });
const REPEATED: PublishResult = Object.freeze({ ...PUBLISHED_LIVE, suppressed: 'idempotency' });

/** Declares the streams, then serves. Rejects with an OperationalError that says what is wrong with NATS. */
export async function createNatsBroker(dependencies: NatsBrokerDependencies): Promise<Broker> {
  const { connection, clock, log, options } = dependencies;
  const idempotencyTtlMs = options.idempotencyTtlMs ?? DEFAULT_IDEMPOTENCY_TTL_MS;
  const streams = channelStreams(connection.subjects, {
    replicas: options.replicas ?? 1,
    storage: options.storage ?? 'file',
    idempotencyTtlMs,
  });
  const { main, subjects } = connection;
  const declare = (isCancelled?: () => boolean): Promise<void> =>
    declareStreams(streams, { connection: main, subjects, log, clock, isCancelled });
  await declare();
  return new NatsBroker(dependencies, idempotencyTtlMs, declare);
}

class NatsBroker implements Broker {
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #publishDeadlineMs: number;
  readonly #inbox: ReplyInbox;
  readonly #reads: DirectGet;
  readonly #writer: LogWriter;
  readonly #router: WriteRouter;
  readonly #server: WriteServer | undefined;
  readonly #live: LiveInterest;
  readonly #history: HistoryReads;
  readonly #claims: OnceClaims;
  readonly #written: WrittenPositions = new WrittenPositions(MAX_WRITTEN);
  readonly #streams: StreamKeeper;
  readonly #scanRequests: Requester;
  readonly #sweep: RestSweep | undefined;
  readonly #stopListening: () => void;
  readonly #nonces: Nonces = createNonces();
  readonly #out: ByteWriter = new ByteWriter();
  readonly #origin: Buffer = randomBytes(ORIGIN_BYTES);
  #isClosed = false;

  constructor(
    dependencies: NatsBrokerDependencies,
    idempotencyTtlMs: number,
    declare: (isCancelled: () => boolean) => Promise<void>,
  ) {
    const { connection: link, receiver, clock, log, nodes, nodeId, options } = dependencies;
    const readDeadlineMs = options.readDeadlineMs ?? DEFAULT_READ_DEADLINE_MS;
    this.#link = link;
    this.#clock = clock;
    this.#publishDeadlineMs = options.publishDeadlineMs ?? DEFAULT_PUBLISH_DEADLINE_MS;
    this.#inbox = new ReplyInbox({ connection: link.main, clock });
    this.#reads = new DirectGet({ connection: link.reads, clock, timeoutMs: readDeadlineMs });
    this.#streams = new StreamKeeper({ declare, clock, log, onReconnect: (fn) => link.onReconnect(fn) });
    const onNoStream = (): void => {
      this.#writer.distrust();
      this.#streams.restore();
    };
    const publisher = new LogPublisher({ link, inbox: this.#inbox, onNoStream });
    const reader = new LogReader({ reads: this.#reads, subjects: link.subjects, log });
    const metrics = createBrokerMetrics(dependencies.metrics);
    const writer = new LogWriter({ link, publisher, reader, clock, log, idempotencyTtlMs, metrics });
    this.#writer = writer;
    this.#stopListening = link.onReconnect(() => writer.distrust());
    const touch = (channel: string, retention: Retention) => writer.touch(channel, retention, this.#publishDeadlineMs);
    this.#router = new WriteRouter({
      link,
      inbox: this.#inbox,
      writer,
      clock,
      log,
      nodes,
      nodeId,
      metrics,
      onWritten: (channel, position) => this.#written.note(channel, position),
    });
    this.#server = options.role === 'owner' ? new WriteServer({ link, writer, clock, log, nodeId }) : undefined;
    this.#scanRequests = createLinkRequesters(link, clock).reads;
    this.#sweep = options.role === 'owner' ? this.#sweepFor(dependencies, readDeadlineMs) : undefined;
    this.#live = new LiveInterest({
      link,
      reader,
      receiver,
      clock,
      log,
      metrics,
      touch,
      origin: this.#origin,
      deadlineMs: readDeadlineMs,
      maxRecentBytes: options.maxRecentBytes ?? DEFAULT_RECENT_BYTES,
      scrubPeriodMs: options.scrubPeriodMs ?? DEFAULT_SCRUB_PERIOD_MS,
    });
    this.#history = new HistoryReads({
      reader,
      live: this.#live,
      touch,
      clock,
      log,
      written: this.#written,
      deadlineMs: readDeadlineMs,
    });
    this.#claims = new OnceClaims({ subjects: link.subjects, publisher, reads: this.#reads, clock });
  }

  /** Not async where all is well: each promise more of a publication is work. */
  publish(request: PublishRequest): Promise<PublishResult> {
    const { retention } = request;
    if (retention === undefined) return this.#publishUnkept(request);
    if (this.#isClosed || !this.#link.isConnected) return this.#appendWhenConnected(request, retention);
    return this.#append(request, retention);
  }

  async #publishUnkept(request: PublishRequest): Promise<PublishResult> {
    this.#checkOpen();
    const { channel } = request;
    const body = this.#bodyOf(request);
    const result = await this.#claim(request, body);
    if (result.suppressed !== undefined) return result;
    this.#publishLive(channel, body);
    await this.#live.heard(channel);
    return result;
  }

  async #appendWhenConnected(request: PublishRequest, retention: Retention): Promise<PublishResult> {
    this.#checkOpen();
    // An outage that is known is not waited out: only the short one of a change to another server.
    await this.#link.whenConnected(RECONNECT_WAIT_MS);
    return this.#append(request, retention);
  }

  #append(request: PublishRequest, retention: Retention): Promise<PublishResult> {
    const { channel, idempotencyKey = '', versionEpoch = '' } = request;
    const body = this.#bodyOf(request);
    return this.#router.append(
      { channel, retention: wholeRetention(retention), body, idempotencyKey, versionEpoch, isRepeat: false },
      this.#publishDeadlineMs,
    );
  }

  /** Who may publish outside the stream. With a key, one: where the channel has a log, that knows all keys. */
  async #claim(request: PublishRequest, { nonce }: PublicationBody): Promise<PublishResult> {
    const { channel, idempotencyKey = '', streamRetention } = request;
    if (idempotencyKey === '') return PUBLISHED_LIVE;
    if (streamRetention !== undefined) {
      const claim = { channel, retention: wholeRetention(streamRetention), idempotencyKey };
      return this.#router.claim(claim, this.#publishDeadlineMs);
    }
    const isOurs = await this.#claims.claim(channel, idempotencyKey, nonce, this.#publishDeadlineMs);
    return isOurs ? PUBLISHED_LIVE : REPEATED;
  }

  async publishJoin(channel: string, info: ClientInfo): Promise<void> {
    this.#publishChange(channel, 'join', info);
  }

  async publishLeave(channel: string, info: ClientInfo): Promise<void> {
    this.#publishChange(channel, 'leave', info);
  }

  join(channel: string, { retention }: JoinOptions): Promise<void> {
    return this.#live.join(channel, retention === undefined ? undefined : wholeRetention(retention));
  }

  async part(channel: string): Promise<void> {
    this.#live.part(channel);
  }

  async history(channel: string, request: HistoryRequest): Promise<HistoryPage> {
    this.#checkOpen();
    return this.#history.read(channel, { ...request, retention: wholeRetention(request.retention) });
  }

  async removeHistory(channel: string, retention: Retention): Promise<void> {
    this.#checkOpen();
    await this.#router.remove(channel, wholeRetention(retention), this.#publishDeadlineMs);
  }

  unavailable(): string | undefined {
    return this.#isClosed ? 'the broker is closed' : this.#link.unavailable();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#server?.close();
    this.#live.close();
    this.#sweep?.close();
    this.#scanRequests.close();
    this.#stopListening();
    this.#writer.close();
    this.#inbox.close();
    this.#reads.close();
    this.#streams.close();
  }

  #sweepFor({ connection, clock, log, nodes, nodeId }: NatsBrokerDependencies, deadlineMs: number): RestSweep {
    const scan = new StreamScan({ requester: this.#scanRequests, deadlineMs });
    const onFound = (channel: string): void => this.#writer.noteUnmarked(channel);
    return new RestSweep({ scan, subjects: connection.subjects, clock, log, nodes, nodeId, onFound });
  }

  /** At most once: it is on its way to NATS then. */
  #publishLive(channel: string, body: PublicationBody): void {
    writeLivePublication(this.#out, body, this.#clock.now());
    this.#send(channel);
  }

  /** Subscribers of this node are told in the same turn, those of others by NATS. */
  #publishChange(channel: string, kind: 'join' | 'leave', info: ClientInfo): void {
    this.#checkOpen();
    writePresenceChange(this.#out, { kind, info, origin: this.#origin });
    this.#send(channel);
    this.#live.onOwnChange(channel, kind, info);
  }

  #send(channel: string): void {
    try {
      this.#link.publish(this.#link.subjects.live(channel), this.#out.finish());
    } catch (error) {
      throw asOperational(error);
    }
  }

  #bodyOf(request: PublishRequest): PublicationBody {
    return {
      nonce: this.#nonces.next(),
      data: request.data,
      info: request.info,
      tags: request.tags,
      version: request.version ?? 0,
      isDelta: request.delta ?? false,
      trace: request.trace,
    };
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new OperationalError('nats_closed', 'the broker is closed');
  }
}

/** Durations may come with fractions of a millisecond; records hold whole ones. */
function wholeRetention(retention: Retention): Retention {
  const { historySize, historyTtlMs, historyMetaTtlMs } = retention;
  if (Number.isInteger(historyTtlMs) && Number.isInteger(historyMetaTtlMs)) return retention;
  return { historySize, historyTtlMs: Math.ceil(historyTtlMs), historyMetaTtlMs: Math.ceil(historyMetaTtlMs) };
}
