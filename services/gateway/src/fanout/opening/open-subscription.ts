import type { HistoryRequest, Retention } from '@carillon/cluster';
import type { Publication } from '@carillon/protocol/client';
import {
  ClientError,
  Disconnect,
  DISCONNECT_CONNECTION_CLOSED,
  DISCONNECT_INAPPROPRIATE_PROTOCOL,
  DISCONNECT_INSUFFICIENT_STATE,
  UNRECOVERABLE_POSITION,
} from '@carillon/protocol/codes';
import type { ChannelEntry, OpeningSubscription } from '../channel/channel-entry.ts';
import type { DeltaUse } from '../channel/publication-group.ts';
import type { TagsFilter } from '../channel/tags-filter.ts';
import type { HubMetrics } from '../hub-metrics.ts';
import type { OpenedState, OpenOptions, OpenSubscription } from '../hub-port.ts';
import { decideCacheRecovery, decideStreamRecovery, type RecoveryDecision } from '../recover.ts';
import type { Subscriber } from '../subscriber.ts';
import type { RecoveredLists } from './recovered-list.ts';
import type { StreamRead, StreamReads } from './stream-reads.ts';

/** Reads before an opening gives up on a stream that began anew during each of them. */
const MAX_READS = 2;

export interface OpeningDeps {
  readonly reads: StreamReads;
  readonly lists: RecoveredLists;
  readonly metrics: HubMetrics;
  /** The read found the stream elsewhere than live publications left it: positioned subscribers must be told. */
  readonly onPositionsVoid: (entry: ChannelEntry) => void;
  readonly onLive: (entry: ChannelEntry) => void;
  /** The subscribe is over, live or not. */
  readonly onEnd: (entry: ChannelEntry) => void;
}

export interface OpeningOptions {
  readonly entry: ChannelEntry;
  readonly subscriber: Subscriber;
  readonly options: OpenOptions;
  /** How the stream is read where a position is wanted. */
  readonly readRetention: Retention;
}

/** What the reply says of the stream and where the list ends. */
interface Recovery {
  readonly isAttempted: boolean;
  readonly isRecovered: boolean;
  /** Unfiltered, up to the position at which the subscription goes live. */
  readonly publications: readonly Publication[];
}

/** One subscribe between `open` and `finish` (client-protocol §4.5). Its channel buffers live publications meanwhile. */
export class Opening implements OpenSubscription, OpeningSubscription {
  readonly #deps: OpeningDeps;
  readonly #entry: ChannelEntry;
  readonly #subscriber: Subscriber;
  readonly #options: OpenOptions;
  readonly #readRetention: Retention;
  readonly #isPositioned: boolean;
  readonly #filter: TagsFilter | undefined;
  #read: StreamRead | undefined = undefined;
  #isEnded = false;

  constructor({ entry, subscriber, options, readRetention }: OpeningOptions, deps: OpeningDeps) {
    this.#deps = deps;
    this.#entry = entry;
    this.#subscriber = subscriber;
    this.#options = options;
    this.#readRetention = readRetention;
    this.#isPositioned = options.positioned || options.recoverable;
    // Delta subscribers are not filtered: their chain of patches can't miss a link (§5.1).
    const isFiltered = options.filter !== undefined && !options.delta;
    this.#filter = isFiltered ? entry.filters.acquire(options.filter) : undefined;
    entry.beginOpening(subscriber, this);
  }

  /** Reads what the reply needs; only positioned subscriptions need anything. The channel must have been joined. */
  async prepare(): Promise<void> {
    if (!this.#isPositioned || this.#isEnded) return;
    const { position } = this.#entry;
    this.#entry.readRetention = this.#readRetention;
    for (let reads = 0; reads < MAX_READS && !this.#isEnded; reads += 1) {
      const read = await this.#deps.reads.read(this.#entry, this.#request());
      // The stream began anew meanwhile, so the answer may be of its former life.
      if (read.generation !== position.generation) continue;
      if (position.observe(read.page.top) === 'lost') this.#deps.onPositionsVoid(this.#entry);
      this.#read = { page: read.page, generation: position.generation };
      return;
    }
  }

  finish(): OpenedState {
    if (this.#isEnded) throw new Disconnect(DISCONNECT_CONNECTION_CLOSED);
    try {
      return this.#isPositioned ? this.#finishPositioned() : this.#finishFree();
    } finally {
      this.abandon();
    }
  }

  abandon(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#entry.endOpening(this.#subscriber);
    if (this.#filter !== undefined) this.#entry.filters.release(this.#filter);
    this.#deps.onEnd(this.#entry);
  }

  get #isRecovering(): boolean {
    const { recoverable, recoverFrom, recoveryMode, autoCacheRecover = false } = this.#options;
    return recoverable && (recoverFrom !== undefined || (autoCacheRecover && recoveryMode === 'cache'));
  }

  /** compat: the flag is looked at in stream mode only, so a cache that has nothing lets its subscriber in. */
  get #mustRecover(): boolean {
    return this.#options.rejectUnrecovered === true && this.#options.recoveryMode === 'stream';
  }

  #request(): HistoryRequest {
    const retention = this.#readRetention;
    const { recoverFrom, recoveryMode, recoveryLimit } = this.#options;
    if (!this.#isRecovering) return { retention, limit: 0 };
    const limit = recoveryLimit > 0 ? recoveryLimit : -1;
    // A filter looks for its newest match among as many as a stream recovery gives (§4.6).
    if (recoveryMode === 'cache') return { retention, limit: this.#filter === undefined ? 1 : limit, reverse: true };
    return { retention, limit, since: recoverFrom, isRecovery: true };
  }

  #finishFree(): OpenedState {
    const { delta, recoverFrom } = this.#options;
    this.#goLive(delta ? 'whole' : 'none');
    return {
      positioned: false,
      recoverable: false,
      wasRecovering: recoverFrom !== undefined,
      recovered: false,
      publications: [],
      delta,
    };
  }

  #finishPositioned(): OpenedState {
    const read = this.#read;
    const { position } = this.#entry;
    if (read === undefined || read.generation !== position.generation) throw this.#insufficientState();
    const recovery = this.#recover(read);
    if (recovery.isAttempted && !recovery.isRecovered && this.#mustRecover) {
      throw new ClientError(UNRECOVERABLE_POSITION);
    }
    const publications = this.#presented(recovery.publications);
    this.#goLivePositioned(recovery);
    const { recoverable, recoverFrom, delta } = this.#options;
    return {
      positioned: true,
      recoverable,
      epoch: position.epoch,
      offset: recovery.isRecovered ? (recoverFrom?.offset ?? 0) : position.offset,
      wasRecovering: recovery.isAttempted || recoverFrom !== undefined,
      recovered: recovery.isRecovered,
      publications,
      delta,
    };
  }

  #recover({ page }: StreamRead): Recovery {
    if (!this.#isRecovering) return { isAttempted: false, isRecovered: false, publications: [] };
    const decision = this.#decide(page);
    if (!decision.isRecovered) return { isAttempted: true, isRecovered: false, publications: [] };
    const { pending, position } = this.#entry;
    const buffered = pending.between(page.top.offset, position.offset);
    // A hole between what was read and what goes live next: nothing that could be replied is true.
    if (buffered === undefined) throw this.#insufficientState();
    return { isAttempted: true, isRecovered: true, publications: [...decision.publications, ...buffered] };
  }

  #decide(page: StreamRead['page']): RecoveryDecision {
    const { recoverFrom, recoveryMode } = this.#options;
    const filter = this.#filter;
    if (recoveryMode === 'stream') return decideStreamRecovery(recoverFrom ?? page.top, page);
    return decideCacheRecovery(recoverFrom, page, filter && ((publication) => filter.matches(publication)));
  }

  /** Filtered only here, after holes were looked for, and in the form of the subscriber's encoding. */
  #presented(all: readonly Publication[]): readonly Publication[] {
    const { delta, recoveryMode } = this.#options;
    const { encoding } = this.#subscriber.socket.traits;
    const filter = this.#filter;
    let publications = filter === undefined ? all : all.filter((publication) => filter.matches(publication));
    if (recoveryMode === 'cache' && !delta) publications = publications.slice(-1);
    if (publications.length === 0) return publications;
    if (encoding === 'json' && !this.#deps.lists.areJson(publications)) {
      this.#deps.metrics.inappropriatePayloads.inc();
      throw new Disconnect(DISCONNECT_INAPPROPRIATE_PROTOCOL);
    }
    return delta ? this.#deps.lists.chained(publications, encoding) : this.#deps.lists.plain(publications);
  }

  #goLivePositioned({ publications }: Recovery): void {
    if (!this.#options.delta) return this.#goLive('none');
    const newest = publications.at(-1);
    // Without a recovered publication nobody knows whether the client has the base of a patch (§5.3).
    this.#goLive(newest === undefined ? 'fresh' : 'ready');
    if (newest !== undefined) this.#entry.deltaBase.offer(newest);
  }

  #goLive(delta: DeltaUse): void {
    const { form } = this.#subscriber.socket.traits;
    const variant = { form, isPositioned: this.#isPositioned, delta, filter: this.#filter };
    this.#entry.add(this.#subscriber, variant, this.#options.pushJoinLeave);
    this.#deps.onLive(this.#entry);
  }

  #insufficientState(): Disconnect {
    this.#deps.metrics.insufficientStates.inc();
    return new Disconnect(DISCONNECT_INSUFFICIENT_STATE);
  }
}
