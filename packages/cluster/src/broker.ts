import type { ClientInfo, Publication } from '@carillon/protocol/client';
import type { StreamPosition } from '@carillon/protocol/channel';
import type { TraceContext } from '@carillon/service-kit/tracing';

/**
 * The broker: ordered channel streams and their live fan-out to the nodes that want them.
 *
 * Who calls what: api instances and gateways `publish*`; gateways `join` a channel before its first local subscriber
 * is answered and `part` from it after the last one left; anybody reads `history`.
 * A rejection is an `OperationalError` (the caller answers error 100), or one of the two documented `BrokerError`s.
 */
export interface Broker {
  /**
   * Appends (when `history` is given) and fans out one publication.
   * Resolves when the publication is durable as far as the adapter promises durability, and, as a rule, handed to the
   * receiver of a node that has joined the channel: a publisher who is subscribed gets it before the answer.
   */
  publish(request: PublishRequest): Promise<PublishResult>;

  /** Fans out a join. Never stored, at most once (channels-and-config §2.5). */
  publishJoin(channel: string, info: ClientInfo): Promise<void>;

  /** Fans out a leave. Never stored, at most once. */
  publishLeave(channel: string, info: ClientInfo): Promise<void>;

  /**
   * Makes this node receive the channel: when it resolves, everything published from now on reaches the receiver.
   * Calls are counted by nobody: one `part` undoes any number of `join`s. Joining twice is a no-op.
   */
  join(channel: string, options: JoinOptions): Promise<void>;

  /** Ends what `join` began. The adapter may keep receiving for a short grace and stays silent meanwhile. */
  part(channel: string): Promise<void>;

  /**
   * Reads retained publications and the top position, creating the stream (offset 0, fresh epoch) when there is none.
   *
   * invariant: on a channel that this node has joined, everything up to the returned top has been handed to the
   * receiver before the promise resolves. The hub relies on it: what a reply accounts for is never delivered again.
   */
  history(channel: string, request: HistoryRequest): Promise<HistoryPage>;

  /** Drops retained publications; epoch and top offset stay (channels-and-config §2.2). */
  removeHistory(channel: string, retention: Retention): Promise<void>;

  /** Why the broker can't serve now, or undefined when it can. Read by health checks; never awaits. */
  unavailable(): string | undefined;

  /** Stops receiving, fails what is in flight, frees everything. Idempotent. */
  close(): Promise<void>;
}

/** What a node's channel hub offers to the broker. Called synchronously, in order per channel; must not throw. */
export interface LiveReceiver {
  /**
   * One live publication. With history its offsets arrive contiguous per epoch (the adapter drops copies and fills
   * gaps); `offset` 0 means outside the stream. `delta` true marks one that may be sent as a patch. Another epoch than the
   * last one's says that the stream began anew.
   */
  onPublication(channel: string, publication: LivePublication): void;
  onJoin(channel: string, info: ClientInfo): void;
  onLeave(channel: string, info: ClientInfo): void;
  /** Publications were lost that the log can't give back: positions are void (2500, 3010). */
  onPositionLost(channel: string): void;
}

/** A publication on its way to subscribers; the buffer behind `data` belongs to the receiver from now on. */
export interface LivePublication {
  /** With `offset` 0 where the channel keeps no history or the publication skipped it. */
  readonly publication: Publication;
  /** Epoch of the stream; '' when `publication.offset` is 0. */
  readonly epoch: string;
  /** May be delivered as a patch against its predecessor (client-protocol §5.1). */
  readonly delta: boolean;
  /** Wall clock of the publish, ms since 1970; 0 when unknown. */
  readonly publishedAt: number;
  /** Of the publish, where that is traced: deliveries go on from it. */
  readonly trace?: TraceContext | undefined;
}

/** How a channel's stream is kept. All three are of the namespace; a stream exists when size and ttl are above zero. */
export interface Retention {
  /** Newest publications kept, > 0. */
  readonly historySize: number;
  /** Life of the list after the newest stored publication, ms, > 0. */
  readonly historyTtlMs: number;
  /** Life of epoch and top after the last publish or read, ms, ≥ historyTtlMs. */
  readonly historyMetaTtlMs: number;
}

export interface JoinOptions {
  /** Undefined: the channel keeps no stream, only live copies matter. */
  readonly retention?: Retention | undefined;
}

export interface PublishRequest {
  readonly channel: string;
  readonly data: Uint8Array;
  /** The publisher, for publications by clients. */
  readonly info?: ClientInfo | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Undefined: only fanned out, no offset (history off, or skip_history). */
  readonly retention?: Retention | undefined;
  /** How the channel keeps what others publish, where this publication is not kept: a key counts for all of them. */
  readonly streamRetention?: Retention | undefined;
  /** Repeats within five minutes give the first result and publish nothing (channels-and-config §2.3). */
  readonly idempotencyKey?: string | undefined;
  /** > 0: suppressed when not above the stored version of the same version epoch. Needs retention. */
  readonly version?: number | bigint | undefined;
  readonly versionEpoch?: string | undefined;
  readonly delta?: boolean | undefined;
  /** Travels with the publication. Only of a trace that is sampled: all others would be bytes for nothing. */
  readonly trace?: TraceContext | undefined;
}

export interface PublishResult {
  /** Offset 0 and epoch '' without retention. Suppressed publishes give the position of the first, or the top. */
  readonly position: StreamPosition;
  readonly suppressed?: 'idempotency' | 'version' | undefined;
}

export interface HistoryRequest {
  readonly retention: Retention;
  /** 0: position only; < 0: everything retained; else at most so many. */
  readonly limit: number;
  /** Exclusive bound: publications after it (before it with `reverse`). An empty epoch is not compared. */
  readonly since?: StreamPosition | undefined;
  readonly reverse?: boolean | undefined;
  /**
   * For a subscriber that gets what comes after the answer anyway: where many recover, the answer of a joined channel may
   * lack what was published last, as long as all up to its top was handed to the receiver. Needs `since`.
   */
  readonly isRecovery?: boolean | undefined;
}

export interface HistoryPage {
  /**
   * Ascending by offset, descending with `reverse`. Lists and buffers are shared: never write to them. An adapter may give
   * the same list again as long as nothing changes, and never for anything else: what was made of it can be used again.
   */
  readonly publications: readonly Publication[];
  readonly top: StreamPosition;
}

/**
 * `unrecoverable`: `since.epoch` is not the stream's epoch (error 112). `unavailable`: the adapter can't do this at all
 * (error 108). `bad_request`: the request contradicts itself, such as reverse since offset 0.
 */
export type BrokerErrorCode = 'unrecoverable' | 'unavailable' | 'bad_request';

/** An outcome of a read that callers turn into a documented answer; everything else is an OperationalError. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode) {
    super(`broker: ${code}`);
    this.code = code;
  }
}
