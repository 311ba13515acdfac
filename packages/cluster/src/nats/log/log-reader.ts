// Reads the channel log: the newest record of a channel, and publications by offset. Exactly the slots that are asked for,
// never a scan (architecture §2.1).
import type { Publication } from '@carillon/protocol/client';
import type { Log } from '@carillon/service-kit';
import type { NatsSubjects, RingSlot } from '../nats-subjects.ts';
import { firstOffset, readLogRecord, type LogRecord, type LogState } from '../record/log-record.ts';
import { toPublication } from '../record/publication-body.ts';
import type { DirectGet, StoredMessage } from '../request/direct-get.ts';
import type { OffsetRange } from './history-range.ts';
import { nextSlot } from './log-state.ts';
import { laterRecords, likelyRecords, type IndexRange } from './slot-range.ts';

export interface LogReaderDependencies {
  readonly reads: DirectGet;
  readonly subjects: NatsSubjects;
  readonly log: Log;
}

/** The newest record of a channel, or what lies at a slot, for who wants to append. */
export interface LogTop {
  /** Undefined: there is none, or it can not be read. */
  readonly record: LogRecord | undefined;
  /** Of the newest record in the log; 0: there is none. */
  readonly sequence: number;
}

/** All reads reject with an OperationalError. */
export class LogReader {
  readonly #reads: DirectGet;
  readonly #subjects: NatsSubjects;
  readonly #log: Log;

  constructor({ reads, subjects, log }: LogReaderDependencies) {
    this.#reads = reads;
    this.#subjects = subjects;
    this.#log = log;
  }

  /** The newest record, as some replica has it: perhaps a little behind. */
  async top(channel: string): Promise<LogRecord | undefined> {
    const stored = await this.#reads.lastData(this.#streamOf(channel), this.#subjects.logAll(channel));
    return stored === undefined ? undefined : this.#decode(channel, stored);
  }

  /** As {@link top}, for who knows a state that was the newest: looks at one slot where there is nothing later. */
  async topSince(channel: string, known: LogState): Promise<LogRecord | undefined> {
    const subject = this.#subjects.logSlot(channel, nextSlot(known));
    const stored = await this.#reads.lastData(this.#streamOf(channel), subject);
    const next = stored === undefined ? undefined : this.#decode(channel, stored);
    // What lies there is from the ring's last turn, unless something came later.
    if (next === undefined || next.state.index < known.index) return { state: known, bodies: [] };
    return next.bodies.length === 0 && isSameTop(next.state, known) ? next : this.top(channel);
  }

  /** As {@link top}, for who appends after it. What a replica says may be behind: the compare-and-set finds that out. */
  async topForAppend(channel: string, fromLeader: boolean): Promise<LogTop> {
    const filter = this.#subjects.logAll(channel);
    const stream = this.#streamOf(channel);
    const stored = await (fromLeader ? this.#reads.lastFromLeader(stream, filter) : this.#reads.last(stream, filter));
    if (stored === undefined) return { record: undefined, sequence: 0 };
    return { record: this.#decode(channel, stored.data), sequence: stored.sequence };
  }

  /** What lies at each slot; undefined where nothing does. */
  async atSlots(channel: string, slots: readonly RingSlot[], fromLeader: boolean): Promise<(LogTop | undefined)[]> {
    const stream = this.#streamOf(channel);
    const read = (subject: string): Promise<StoredMessage | undefined> =>
      fromLeader ? this.#reads.lastFromLeader(stream, subject) : this.#reads.last(stream, subject);
    const stored = await Promise.all(slots.map((slot) => read(this.#subjects.logSlot(channel, slot))));
    return stored.map(
      (message) => message && { record: this.#decode(channel, message.data), sequence: message.sequence },
    );
  }

  /** The record of a sequence, when the log still has it and it can be read. A replica that is behind has it not yet. */
  async recordAt(channel: string, sequence: number): Promise<LogRecord | undefined> {
    const stored = await this.#reads.atFromLeader(this.#streamOf(channel), sequence);
    return stored === undefined ? undefined : this.#decode(channel, stored.data);
  }

  /**
   * The records that hold publications of the range and are still in the log, by offset. `state` is the top's. With
   * `fromLeader` the slots are read one by one, for those few that a replica did not have.
   */
  async records(channel: string, state: LogState, range: OffsetRange, fromLeader = false): Promise<LogRecord[]> {
    const found: LogRecord[] = [];
    const read = async (indices: IndexRange): Promise<void> => {
      found.push(...(await this.#slots(channel, this.#slotSubjects(channel, state, indices), fromLeader)));
    };
    await read(likelyRecords(state, range));
    await read(laterRecords(state, range, found));
    return found
      .filter((record) => isWithin(record, state, range))
      .toSorted((one, other) => one.state.offset - other.state.offset);
  }

  /** The oldest records of the log, at most so many, by offset: of a ring of not more than a thousand slots. */
  async oldest(channel: string, limit: number): Promise<LogRecord[]> {
    const stream = this.#subjects.logStream(this.#subjects.shardOf(channel));
    const stored = await this.#reads.oldestOfEach(stream, this.#subjects.logAll(channel), limit);
    return this.#decodeAll(channel, stored).toSorted((a, b) => a.state.offset - b.state.offset);
  }

  async #slots(channel: string, slots: readonly string[], fromLeader: boolean): Promise<LogRecord[]> {
    if (slots.length === 0) return [];
    const stream = this.#streamOf(channel);
    const stored = fromLeader
      ? (await Promise.all(slots.map((slot) => this.#reads.lastFromLeader(stream, slot)))).flatMap(dataOf)
      : await this.#reads.lastOfEach(stream, slots);
    return this.#decodeAll(channel, stored);
  }

  #decodeAll(channel: string, stored: readonly Uint8Array[]): LogRecord[] {
    return stored.map((data) => this.#decode(channel, data)).filter((record) => record !== undefined);
  }

  /**
   * Of channels of one shard with the states that are believed to be their newest, those where it is so, with the newest
   * record. Looks at two slots of each: that record's, and the one where any later record would be.
   */
  async unmoved(shard: number, believed: ReadonlyMap<string, LogState>): Promise<Map<string, LogRecord>> {
    const subjects = [...believed].flatMap(([channel, state]) => {
      const own = this.#subjects.logOf(channel);
      return [own.slot(slotOf(state, state.index)), own.slot(nextSlot(state))];
    });
    const stored = await this.#reads.lastBySubject(this.#subjects.logStream(shard), subjects);
    const unmoved = new Map<string, LogRecord>();
    for (const [at, [channel, state]] of [...believed].entries()) {
      const [own, next] = [subjects[2 * at] ?? '', subjects[2 * at + 1] ?? ''].map((subject) => {
        const data = stored.get(subject);
        return data === undefined ? undefined : this.#decode(channel, data);
      });
      const mark = next?.bodies.length === 0 && isSameTop(next.state, state) ? next : undefined;
      const isMoved = next !== undefined && mark === undefined && next.state.index >= state.index;
      const newest = mark ?? (own !== undefined && isSameTop(own.state, state) ? own : undefined);
      if (newest !== undefined && !isMoved) unmoved.set(channel, newest);
    }
    return unmoved;
  }

  #streamOf(channel: string): string {
    return this.#subjects.logStream(this.#subjects.shardOf(channel));
  }

  #slotSubjects(channel: string, state: LogState, { from, to }: IndexRange): string[] {
    const subjects = new Set<string>();
    const own = this.#subjects.logOf(channel);
    for (let index = from; index <= to; index++) {
      if (index >= state.ringIndex || state.previousSlots > 0) subjects.add(own.slot(slotOf(state, index)));
    }
    return [...subjects];
  }

  #decode(channel: string, data: Uint8Array): LogRecord | undefined {
    try {
      return readLogRecord(data);
    } catch (error) {
      // Another hand has written to our stream, or a newer version: as good as lost.
      this.#log.error('a record of the log can not be read', { channel, error });
      return undefined;
    }
  }
}

/** The publications of records that are in the range: contiguous up to the last, a hole hides what is before it. */
export function publicationsOf(records: readonly LogRecord[], { from, to }: OffsetRange): Publication[] {
  let publications: Publication[] = [];
  let expected = from;
  for (const record of records) {
    const first = firstOffset(record);
    for (const [index, body] of record.bodies.entries()) {
      const offset = first + index;
      if (offset < expected || offset > to) continue;
      if (offset > expected) publications = [];
      publications.push(toPublication(body, offset));
      expected = offset + 1;
    }
  }
  return expected > to ? publications : [];
}

/** Whether a record holds publications of the range in the stream's present epoch. */
export function isWithin(record: LogRecord, state: LogState, range: OffsetRange): boolean {
  if (record.state.epoch !== state.epoch || record.bodies.length === 0) return false;
  return record.state.offset >= range.from && firstOffset(record) <= range.to;
}

/** Where the record of an index is, of the newest ring or of the one before. */
function slotOf({ ringIndex, slots, previousSlots }: LogState, index: number): RingSlot {
  return { slots: index >= ringIndex || previousSlots === 0 ? slots : previousSlots, index };
}

function isSameTop(one: LogState, other: LogState): boolean {
  return one.epoch === other.epoch && one.offset === other.offset;
}

function dataOf(message: StoredMessage | undefined): Uint8Array[] {
  return message === undefined ? [] : [message.data];
}
