import { BrokerError, type HistoryPage, type HistoryRequest, type LiveReceiver } from '@carillon/cluster';
import type { Publication } from '@carillon/protocol/client';
import { OperationalError } from '@carillon/service-kit';
import type { HubBroker } from '../channel-hub.ts';
import { bytes } from './fake-client.ts';

interface LiveCopy {
  readonly publication: Publication;
  readonly epoch: string;
  readonly delta: boolean;
  readonly publishedAt: number;
}

interface PendingRead {
  readonly channel: string;
  readonly request: HistoryRequest;
  readonly promise: PromiseWithResolvers<HistoryPage>;
  /** What the answer will be, once the broker has looked. */
  outcome: (() => HistoryPage) | undefined;
}

interface Stream {
  epoch: string;
  top: number;
  retained: Publication[];
  /** Published, on the way to the receiver. */
  inFlight: LiveCopy[];
  newest: LiveCopy | undefined;
}

export interface ScriptedPublish {
  readonly tags?: Record<string, string>;
  readonly delta?: boolean;
  readonly skipHistory?: boolean;
  readonly publishedAt?: number;
  readonly version?: number;
  readonly raw?: Uint8Array;
}

/**
 * A broker whose every step the test takes: publications arrive when `arrive` says so, reads and joins are answered when
 * the test answers them. Keeps the promise of the port: what a read accounts for has arrived before it resolves.
 */
export class ScriptedBroker implements HubBroker {
  receiver: LiveReceiver | undefined = undefined;
  readonly joined: Set<string> = new Set();
  readonly calls: string[] = [];
  readonly reads: PendingRead[] = [];
  readonly joins: { channel: string; promise: PromiseWithResolvers<void> }[] = [];
  readonly parts: { channel: string; promise: PromiseWithResolvers<void> }[] = [];
  /** Answer at once instead of waiting for the test. */
  isAutomatic = true;
  retained = 100;
  /** How many of the next joins and reads fail. */
  failJoins = 0;
  failReads = 0;
  readonly #streams: Map<string, Stream> = new Map();
  #epochs = 0;

  stream(channel: string): Stream {
    let stream = this.#streams.get(channel);
    if (stream === undefined) {
      stream = { epoch: this.#nextEpoch(), top: 0, retained: [], inFlight: [], newest: undefined };
      this.#streams.set(channel, stream);
    }
    return stream;
  }

  /** Publishes and lets it arrive at once. */
  publish(channel: string, payload: string, options: ScriptedPublish = {}): void {
    this.send(channel, payload, options);
    this.arrive(channel);
  }

  /** Publishes; the live copy waits for `arrive`. */
  send(channel: string, payload: string, options: ScriptedPublish = {}): void {
    const { tags, delta = false, skipHistory = false, publishedAt = 0, version, raw } = options;
    const stream = this.stream(channel);
    const data = raw ?? bytes(payload);
    if (skipHistory) {
      stream.inFlight.push({ publication: { data, tags, offset: 0 }, epoch: '', delta, publishedAt });
      return;
    }
    stream.top += 1;
    const publication: Publication = { data, tags, offset: stream.top, version };
    stream.retained.push(publication);
    if (stream.retained.length > this.retained) stream.retained.shift();
    stream.inFlight.push({ publication, epoch: stream.epoch, delta, publishedAt });
  }

  /** Live copies reach this node: the oldest `count`, or all. */
  arrive(channel: string, count: number = Infinity): void {
    const stream = this.stream(channel);
    for (let arrived = 0; arrived < count; arrived += 1) {
      const copy = stream.inFlight.shift();
      if (copy === undefined) return;
      stream.newest = copy;
      if (this.joined.has(channel)) this.receiver?.onPublication(channel, copy);
    }
  }

  /** The newest live copy that arrived arrives once more. */
  repeat(channel: string): void {
    const { newest } = this.stream(channel);
    if (newest !== undefined && this.joined.has(channel)) this.receiver?.onPublication(channel, newest);
  }

  /** Live copies vanish: the oldest `count`. */
  lose(channel: string, count: number = Infinity): void {
    const { inFlight } = this.stream(channel);
    inFlight.splice(0, count);
  }

  /** The stream begins anew; the broker knows that and says so only if `tells`. */
  reset(channel: string, tells: boolean): void {
    const stream = this.stream(channel);
    stream.epoch = this.#nextEpoch();
    stream.top = 0;
    stream.retained = [];
    stream.inFlight = [];
    stream.newest = undefined;
    if (tells && this.joined.has(channel)) this.receiver?.onPositionLost(channel);
  }

  async join(channel: string): Promise<void> {
    this.calls.push(`join ${channel}`);
    if (!this.isAutomatic) {
      const promise = Promise.withResolvers<void>();
      this.joins.push({ channel, promise });
      await promise.promise;
    }
    if (this.failJoins > 0) {
      this.failJoins -= 1;
      throw new OperationalError('broker_away', 'no broker');
    }
    this.joined.add(channel);
  }

  async part(channel: string): Promise<void> {
    this.calls.push(`part ${channel}`);
    if (!this.isAutomatic) {
      const promise = Promise.withResolvers<void>();
      this.parts.push({ channel, promise });
      await promise.promise;
    }
    this.joined.delete(channel);
  }

  async history(channel: string, request: HistoryRequest): Promise<HistoryPage> {
    this.calls.push(`history ${channel}`);
    if (this.failReads > 0) {
      this.failReads -= 1;
      throw new OperationalError('broker_away', 'no broker');
    }
    if (this.isAutomatic) return this.#page(channel, request);
    const promise = Promise.withResolvers<HistoryPage>();
    this.reads.push({ channel, request, promise, outcome: undefined });
    return promise.promise;
  }

  /** Looks for the oldest read that waits; its answer still takes time. */
  serveRead(): void {
    const read = this.reads.find(({ outcome }) => outcome === undefined);
    if (read !== undefined) read.outcome = this.#look(read);
  }

  /** Answers the oldest waiting read: with what was seen when it was served, or else with what is true now. */
  answerRead(): boolean {
    const read = this.reads.shift();
    if (read === undefined) return false;
    const outcome = read.outcome ?? this.#look(read);
    try {
      read.promise.resolve(outcome());
    } catch (error) {
      read.promise.reject(error);
    }
    return true;
  }

  #look({ channel, request }: PendingRead): () => HistoryPage {
    try {
      const page = this.#page(channel, request);
      return () => page;
    } catch (error) {
      return () => {
        throw error;
      };
    }
  }

  countCalls(name: 'join' | 'part' | 'history'): number {
    return this.calls.filter((call) => call.startsWith(`${name} `)).length;
  }

  #page(channel: string, { since, limit, reverse = false }: HistoryRequest): HistoryPage {
    const stream = this.stream(channel);
    if (since !== undefined && since.epoch !== '' && since.epoch !== stream.epoch)
      throw new BrokerError('unrecoverable');
    // invariant of the port: everything up to the top has been handed over before the read resolves.
    this.arrive(channel);
    const top = { offset: stream.top, epoch: stream.epoch };
    const after = stream.retained.filter(({ offset = 0 }) => since === undefined || offset > since.offset);
    const ordered = reverse ? after.toReversed() : after;
    return { publications: limit < 0 ? ordered : ordered.slice(0, limit), top };
  }

  #nextEpoch(): string {
    this.#epochs += 1;
    return `epoch${this.#epochs}`;
  }
}
