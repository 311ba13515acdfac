// Answers history requests: from the recent publications of a joined channel where they suffice, else from the log.
// Whatever is asked at the same time is read once.
import type { Publication } from '@carillon/protocol/client';
import { SingleFlight, withDeadline, type Clock, type Log } from '@carillon/service-kit';
import type { HistoryPage, HistoryRequest, Retention } from '../../broker.ts';
import type { LiveChannel } from '../live/live-channel.ts';
import type { LiveInterest } from '../live/live-receiver.ts';
import { VisitedChannels } from '../history/visited-channels.ts';
import type { LogRecord, LogState } from '../record/log-record.ts';
import { FreshFlight } from '../request/fresh-flight.ts';
import { FirstVisits, wholeRange } from '../history/first-visits.ts';
import { historyRange, type OffsetRange } from './history-range.ts';
import { publicationsOf, type LogReader } from './log-reader.ts';
import { isMetaExpired, needsTouch } from './log-state.ts';
import type { WrittenPositions } from './written-positions.ts';

export interface HistoryReadsDependencies {
  readonly reader: LogReader;
  readonly live: LiveInterest;
  readonly written: WrittenPositions;
  /** Renews or creates a channel's state. */
  readonly touch: (channel: string, retention: Retention) => Promise<LogState>;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a read waits until the receiver has caught up, ms. */
  readonly deadlineMs: number;
}

export class HistoryReads {
  readonly #deps: HistoryReadsDependencies;
  readonly #tops: FreshFlight<string, LogRecord | undefined>;
  readonly #visited: VisitedChannels = new VisitedChannels();
  readonly #firstVisits: FirstVisits;
  readonly #ranges: SingleFlight<string, Publication[]> = new SingleFlight();
  readonly #touches: SingleFlight<string, LogState> = new SingleFlight();

  constructor(deps: HistoryReadsDependencies) {
    this.#deps = deps;
    this.#tops = new FreshFlight({ clock: deps.clock });
    this.#firstVisits = new FirstVisits(deps);
  }

  /** Rejects with a BrokerError or an OperationalError. */
  async read(channel: string, request: HistoryRequest): Promise<HistoryPage> {
    const { live } = this.#deps;
    const joinedBefore = live.find(channel);
    if (joinedBefore !== undefined) {
      const known = this.#known(channel, request);
      if (known !== undefined) return this.#page(joinedBefore, known, request);
    }
    const isFirst = joinedBefore === undefined && !this.#visited.has(channel);
    const guess = isFirst ? this.#firstVisits.begin(channel, request) : undefined;
    const top = await this.#tops.run(channel, () => this.#top(channel));
    const newest = await this.#reaching(await this.#living(channel, top, request.retention), channel, request);
    const joined = live.find(channel);
    if (joined === undefined) return this.#visit({ channel, state: newest.state, guess }, request);
    const state = await this.#caughtUp(joined, newest);
    return this.#page(joined, state, request);
  }

  /**
   * The state of a joined channel if that answers the request without a look at the log: a recovery from a position that
   * the channel has passed here. What the log may have beyond that is handed over later, also to who recovers now.
   */
  #known(channel: string, { since, reverse, retention, isRecovery = false }: HistoryRequest): LogState | undefined {
    const { live, clock, written } = this.#deps;
    if (!isRecovery || since === undefined || reverse === true) return undefined;
    const state = live.trusted(channel);
    if (state?.epoch !== since.epoch || since.offset > state.offset || written.isAhead(channel, state))
      return undefined;
    const now = clock.now();
    return isMetaExpired(state, retention, now) || needsTouch(state, retention, now) ? undefined : state;
  }

  /** Who has published here reads it here, although another replica answers. */
  async #top(channel: string): Promise<LogRecord | undefined> {
    const { reader, written, live } = this.#deps;
    const known = live.find(channel)?.state;
    const top = known === undefined ? await reader.top(channel) : await reader.topSince(channel, known);
    if (!written.isAhead(channel, top?.state)) return top;
    const sure = await reader.topForAppend(channel, true);
    if (written.isAhead(channel, sure.record?.state)) written.forget(channel);
    return sure.record;
  }

  /** The newest record of a channel that lives on; of one that nobody knows, a new one. */
  async #living(channel: string, top: LogRecord | undefined, retention: Retention): Promise<LogRecord> {
    const { clock, log, touch } = this.#deps;
    const renew = (): Promise<LogState> => this.#touches.run(channel, () => touch(channel, retention));
    const now = clock.now();
    if (top === undefined || isMetaExpired(top.state, retention, now)) return { state: await renew(), bodies: [] };
    if (needsTouch(top.state, retention, now)) {
      renew().catch((error: unknown) => log.debug('a channel was not touched', { channel, error }));
    }
    return top;
  }

  /**
   * Who has been further than the log seems to be has met another replica then. One that is cut off answers on, a leader
   * among them for some seconds; that a record can be stored after the newest one is what no stale one can say. So nobody
   * is told of a loss, or taken back, by a server that has fallen behind: where nothing can be stored, the read fails.
   */
  async #reaching(newest: LogRecord, channel: string, { since, retention }: HistoryRequest): Promise<LogRecord> {
    const { live, touch } = this.#deps;
    const isBehind = (state: LogState | undefined): boolean =>
      state === undefined || (state.epoch === since?.epoch && state.offset < since.offset);
    if (!isBehind(newest.state) || !isBehind(live.find(channel)?.state)) return newest;
    const prove = (): Promise<LogState> => this.#touches.run(channel, () => touch(channel, retention));
    // The first may have been under way when the question came.
    const proven = await prove();
    return { state: isBehind(proven) ? await prove() : proven, bodies: [] };
  }

  // invariant: everything up to the returned top has been handed to the receiver before the promise resolves.
  async #caughtUp(live: LiveChannel, newest: LogRecord): Promise<LogState> {
    const { clock, deadlineMs } = this.#deps;
    const catchingUp = live.catchUp(newest);
    if (catchingUp !== undefined) await withDeadline(catchingUp, deadlineMs, 'nats_catch_up', clock);
    live.confirm();
    // What we have may be newer than what a replica said.
    return live.state ?? newest.state;
  }

  async #page(live: LiveChannel, state: LogState, request: HistoryRequest): Promise<HistoryPage> {
    const { reverse: isReversed = false } = request;
    const range = historyRange(state, request, this.#deps.clock.now());
    const recent = live.recent(range, isReversed);
    if (recent !== undefined) return pageOf(state, recent);
    const publications = await this.#fromLog(live.channel, state, range);
    live.keepOlder(range.from, olderThan(publications, live.ringFirst), state.epoch);
    return pageOf(state, isReversed ? publications.toReversed() : publications);
  }

  /** Of a channel that this node has not joined. */
  async #visit(visit: Visit, request: HistoryRequest): Promise<HistoryPage> {
    const { channel, state } = visit;
    const { reverse: isReversed = false, retention } = request;
    const range = historyRange(state, request, this.#deps.clock.now());
    if (range.from > range.to) return pageOf(state, []);
    const recent = this.#visited.recent(channel, state.epoch, range, isReversed);
    if (recent !== undefined) return pageOf(state, recent);
    const publications = await this.#readVisited(visit, range, retention);
    return pageOf(state, isReversed ? publications.toReversed() : publications);
  }

  /** As much of the range as was read before need not be read again. */
  async #readVisited(
    { channel, state, guess }: Visit,
    range: OffsetRange,
    { historySize }: Retention,
  ): Promise<readonly Publication[]> {
    const { epoch } = state;
    const missing = this.#visited.missing(channel, epoch, range);
    const known = this.#visited.recent(channel, epoch, { from: range.from, to: missing.from - 1 }, false) ?? [];
    const guessed = guess && wholeRange(await guess, state, missing);
    const read = guessed ?? (await this.#fromLog(channel, state, missing));
    const from = read[0]?.offset;
    if (from === undefined) return [];
    this.#visited.keep(channel, { epoch, from, publications: read, maxPublications: historySize });
    // A hole hides what is before it.
    return from === missing.from ? [...known, ...read] : read;
  }

  #fromLog(channel: string, state: LogState, range: OffsetRange): Promise<Publication[]> {
    const { reader } = this.#deps;
    const key = `${state.epoch}.${state.offset}.${range.from}.${range.to}.${channel}`;
    return this.#ranges.run(key, async () => {
      const publications = publicationsOf(await reader.records(channel, state, range), range);
      if (publications.at(-1)?.offset === range.to) return publications;
      // The replica that answered is behind the one that told us the top.
      const last = { from: Math.max(range.from, range.to - MAX_LEADER_READS + 1), to: range.to };
      const [known, missing] = await Promise.all([
        reader.records(channel, state, range),
        reader.records(channel, state, last, true),
      ]);
      const records = [...known, ...missing].toSorted((a, b) => a.state.offset - b.state.offset);
      return publicationsOf(records, range);
    });
  }
}

const MAX_LEADER_READS = 128;

interface Visit {
  readonly channel: string;
  readonly state: LogState;
  readonly guess: Promise<readonly LogRecord[]> | undefined;
}

function pageOf({ offset, epoch }: LogState, publications: readonly Publication[]): HistoryPage {
  return { publications, top: { offset, epoch } };
}

function olderThan(publications: readonly Publication[], offset: number): Publication[] {
  return publications.filter((publication) => (publication.offset ?? 0) < offset);
}
