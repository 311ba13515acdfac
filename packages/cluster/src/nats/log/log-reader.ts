// Reads the channel log: the newest record of a channel, and publications by offset. Exactly the slots that are asked for,
// never a scan (architecture §2.1).
import type { Publication } from '@carillon/protocol/client';
import type { Log } from '@carillon/service-kit';
import type { NatsSubjects } from '../nats-subjects.ts';
import { firstOffset, MAX_BATCH, readLogRecord, type LogRecord, type LogState } from '../record/log-record.ts';
import { toPublication } from '../record/publication-body.ts';
import type { DirectGet, StoredMessage } from '../request/direct-get.ts';
import type { OffsetRange } from './history-range.ts';

export interface LogReaderDependencies {
  readonly reads: DirectGet;
  readonly subjects: NatsSubjects;
  readonly log: Log;
}

/** What the newest record of a channel is, for who wants to append the next one. */
export interface LogTop {
  /** Undefined: nobody knows the channel, or what is left of it can't be trusted: a new epoch is due. */
  readonly record: LogRecord | undefined;
  /** Of the newest record in the log; 0: there is none. The compare-and-set compares it. */
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

  /** The newest record: from the log, or from the top stream where the log's have expired. May be a little behind. */
  async top(channel: string, nowMs: number): Promise<LogRecord | undefined> {
    const shard = this.#subjects.shardOf(channel);
    const stored = await this.#reads.last(this.#subjects.logStream(shard), this.#subjects.logAll(channel));
    if (stored !== undefined) return this.#decode(channel, stored.data);
    const kept = await this.#reads.last(this.#subjects.topStream(shard), this.#subjects.top(channel));
    if (kept === undefined) return undefined;
    const record = this.#decode(channel, kept.data);
    // The log has lost what it should still have: the next touch begins a new epoch.
    return record !== undefined && isMissingInLog(record.state, nowMs) ? undefined : record;
  }

  /** As {@link top}, and sure enough to append after it: what a replica says is compared with the leader if in doubt. */
  async topForAppend(channel: string, nowMs: number, fromLeader: boolean): Promise<LogTop> {
    const shard = this.#subjects.shardOf(channel);
    const logStream = this.#subjects.logStream(shard);
    const filter = this.#subjects.logAll(channel);
    const [stored, kept] = await Promise.all([
      fromLeader ? this.#reads.lastFromLeader(logStream, filter) : this.#reads.last(logStream, filter),
      this.#reads.last(this.#subjects.topStream(shard), this.#subjects.top(channel)),
    ]);
    const record = stored === undefined ? undefined : this.#decode(channel, stored.data);
    const keptRecord = kept === undefined ? undefined : this.#decode(channel, kept.data);
    if (keptRecord === undefined) return { record, sequence: stored?.sequence ?? 0 };
    const isBehind = record === undefined ? isMissingInLog(keptRecord.state, nowMs) : isNewer(keptRecord, record);
    if (!isBehind) return { record: record ?? keptRecord, sequence: stored?.sequence ?? 0 };
    return this.#compareWithLeader(channel, keptRecord, nowMs);
  }

  async #compareWithLeader(channel: string, kept: LogRecord, nowMs: number): Promise<LogTop> {
    const logStream = this.#subjects.logStream(this.#subjects.shardOf(channel));
    const stored = await this.#reads.lastFromLeader(logStream, this.#subjects.logAll(channel));
    const record = stored === undefined ? undefined : this.#decode(channel, stored.data);
    const sequence = stored?.sequence ?? 0;
    if (record === undefined ? isMissingInLog(kept.state, nowMs) : isNewer(kept, record)) {
      this.#log.warn('the log of a channel has lost records, a new epoch begins', { channel, epoch: kept.state.epoch });
      return { record: undefined, sequence };
    }
    return { record: record ?? kept, sequence };
  }

  /** The record of a sequence, when the log still has it. */
  async recordAt(channel: string, sequence: number): Promise<LogRecord | undefined> {
    const stored = await this.#reads.at(this.#subjects.logStream(this.#subjects.shardOf(channel)), sequence);
    return stored === undefined ? undefined : this.#decode(channel, stored.data);
  }

  /**
   * The records that hold publications of the range and are still in the log, by offset. `state` is the top's. With
   * `fromLeader` the slots are read one by one, for those few that a replica did not have.
   */
  async records(channel: string, state: LogState, range: OffsetRange, fromLeader = false): Promise<LogRecord[]> {
    const stream = this.#subjects.logStream(this.#subjects.shardOf(channel));
    const slots = this.#slotSubjects(channel, state, range);
    const stored = fromLeader
      ? (await Promise.all(slots.map((slot) => this.#reads.lastFromLeader(stream, slot)))).flatMap(dataOf)
      : await this.#reads.lastOfEach(stream, slots);
    return stored
      .map((data) => this.#decode(channel, data))
      .filter((record) => record !== undefined)
      .filter((record) => isWithin(record, state, range))
      .toSorted((a, b) => a.state.offset - b.state.offset);
  }

  /** The newest records of many channels as the top streams have them, some milliseconds behind the log. */
  async tops(shard: number, channels: readonly string[]): Promise<Map<string, LogRecord>> {
    const bySubject = new Map(channels.map((channel) => [this.#subjects.top(channel), channel]));
    const stored = await this.#reads.lastBySubject(this.#subjects.topStream(shard), [...bySubject.keys()]);
    const tops = new Map<string, LogRecord>();
    for (const [subject, data] of stored) {
      const channel = bySubject.get(subject);
      const record = channel === undefined ? undefined : this.#decode(channel, data);
      if (channel !== undefined && record !== undefined) tops.set(channel, record);
    }
    return tops;
  }

  /** The record of a range's end may hold more publications, so it can be at a later slot. */
  #slotSubjects(channel: string, state: LogState, { from, to }: OffsetRange): string[] {
    const last = Math.min(state.offset, to + MAX_BATCH - 1);
    const slots = new Set<string>();
    for (let offset = Math.max(from, last - state.slots + 1); offset <= last; offset++) {
      if (offset >= state.ringSince) slots.add(this.#subjects.logSlot(channel, state.slots, offset));
      else if (state.previousSlots > 0) slots.add(this.#subjects.logSlot(channel, state.previousSlots, offset));
    }
    return [...slots];
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

function isWithin(record: LogRecord, state: LogState, range: OffsetRange): boolean {
  if (record.state.epoch !== state.epoch || record.bodies.length === 0) return false;
  return record.state.offset >= range.from && firstOffset(record) <= range.to;
}

/** A top whose record ought to be in the log still; a minute for clocks that differ. */
function isMissingInLog(state: LogState, nowMs: number): boolean {
  return state.expiresAt > nowMs + 60_000;
}

function isNewer(kept: LogRecord, stored: LogRecord): boolean {
  if (kept.state.epoch !== stored.state.epoch) return kept.state.writtenAt > stored.state.writtenAt;
  return kept.state.offset > stored.state.offset;
}

function dataOf(message: StoredMessage | undefined): Uint8Array[] {
  return message === undefined ? [] : [message.data];
}
