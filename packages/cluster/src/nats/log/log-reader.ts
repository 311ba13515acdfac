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

interface Found extends LogTop {
  readonly originSequence: number;
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
    const stored = await this.#reads.lastData(this.#subjects.logStream(shard), this.#subjects.logAll(channel));
    if (stored !== undefined) return this.#decode(channel, stored);
    const kept = await this.#reads.lastData(this.#subjects.topStream(shard), this.#subjects.top(channel));
    if (kept === undefined) return undefined;
    const record = this.#decode(channel, kept);
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
    const fromLog = this.#decodeStored(channel, stored);
    const fromTops = this.#decodeStored(channel, kept);
    if (!hasLost(fromLog, fromTops, nowMs)) return newestOf(fromLog, fromTops);
    const sure = this.#decodeStored(channel, await this.#reads.lastFromLeader(logStream, filter));
    if (!hasLost(sure, fromTops, nowMs)) return newestOf(sure, fromTops);
    this.#log.warn('the log of a channel has lost records, a new epoch begins', { channel });
    return { record: undefined, sequence: sure?.sequence ?? 0 };
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
    const read = async (slots: OffsetRange): Promise<LogRecord[]> => {
      const stored = await this.#slots(channel, this.#slotSubjects(channel, state, slots), fromLeader);
      return stored.filter((record) => isWithin(record, state, range));
    };
    const records = await read(range);
    if (!records.some((record) => record.state.offset >= range.to)) {
      // A record is at the slot of its last publication, which may be beyond the range.
      records.push(...(await read({ from: range.to + 1, to: range.to + MAX_BATCH - 1 })));
    }
    return records.toSorted((a, b) => a.state.offset - b.state.offset);
  }

  /** The oldest records of the log, at most so many, by offset: of a ring of not more than a thousand slots. */
  async oldest(channel: string, limit: number): Promise<LogRecord[]> {
    const stream = this.#subjects.logStream(this.#subjects.shardOf(channel));
    const stored = await this.#reads.oldestOfEach(stream, this.#subjects.logAll(channel), limit);
    return this.#decodeAll(channel, stored).toSorted((a, b) => a.state.offset - b.state.offset);
  }

  async #slots(channel: string, slots: readonly string[], fromLeader: boolean): Promise<LogRecord[]> {
    if (slots.length === 0) return [];
    const stream = this.#subjects.logStream(this.#subjects.shardOf(channel));
    const stored = fromLeader
      ? (await Promise.all(slots.map((slot) => this.#reads.lastFromLeader(stream, slot)))).flatMap(dataOf)
      : await this.#reads.lastOfEach(stream, slots);
    return this.#decodeAll(channel, stored);
  }

  #decodeAll(channel: string, stored: readonly Uint8Array[]): LogRecord[] {
    return stored.map((data) => this.#decode(channel, data)).filter((record) => record !== undefined);
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

  #slotSubjects(channel: string, state: LogState, { from, to }: OffsetRange): string[] {
    const last = Math.min(state.offset, to);
    const slots = new Set<string>();
    const subjects = this.#subjects.logOf(channel);
    for (let offset = Math.max(from, last - state.slots + 1); offset <= last; offset++) {
      if (offset >= state.ringSince) slots.add(subjects.slot(state.slots, offset));
      else if (state.previousSlots > 0) slots.add(subjects.slot(state.previousSlots, offset));
    }
    return [...slots];
  }

  #decodeStored(channel: string, stored: StoredMessage | undefined): Found | undefined {
    if (stored === undefined) return undefined;
    const { sequence, originSequence, data } = stored;
    return { record: this.#decode(channel, data), sequence, originSequence };
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

/** A top whose record ought to be in the log still; a minute for clocks that differ. */
function isMissingInLog(state: LogState, nowMs: number): boolean {
  return state.expiresAt > nowMs + 60_000;
}

/** Whether the log lacks what the top stream has seen in it, and what can't have expired yet. */
function hasLost(fromLog: Found | undefined, fromTops: Found | undefined, nowMs: number): boolean {
  const kept = fromTops?.record?.state;
  if (kept === undefined || !isMissingInLog(kept, nowMs)) return false;
  const stored = fromLog?.record?.state;
  if (fromLog === undefined || stored === undefined) return true;
  if (kept.epoch === stored.epoch) return kept.offset > stored.offset;
  // Two clocks may differ, and a log that was made anew counts anew: only both together tell which came later.
  return kept.writtenAt > stored.writtenAt && (fromTops?.originSequence ?? 0) > fromLog.sequence;
}

function newestOf(fromLog: Found | undefined, fromTops: Found | undefined): LogTop {
  const sequence = fromLog?.sequence ?? 0;
  const [stored, kept] = [fromLog?.record, fromTops?.record];
  if (stored === undefined || kept === undefined) return { record: stored ?? kept, sequence };
  // While the records of an idle channel expire, the last one may go a moment before the others.
  const isExpiring = kept.state.epoch === stored.state.epoch && kept.state.offset > stored.state.offset;
  return { record: isExpiring ? kept : stored, sequence };
}

function dataOf(message: StoredMessage | undefined): Uint8Array[] {
  return message === undefined ? [] : [message.data];
}
