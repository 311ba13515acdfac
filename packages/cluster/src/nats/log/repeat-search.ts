// Whether publications that another node may have stored are in the log.
import type { LogRecord, LogState } from '../record/log-record.ts';
import { firstOffset } from '../record/log-record.ts';
import { isSameNonce, type Nonce } from '../record/publication-body.ts';
import type { KeyedEntry } from './append-entry.ts';
import type { LogReader } from './log-reader.ts';

export type SearchResult =
  | { readonly kind: 'stored'; readonly offset: number }
  | { readonly kind: 'absent' }
  /** What was published since then is no longer all there to look at. */
  | { readonly kind: 'unsure' };

/** Publications to look through, from the top down: as many as one read gives. */
const SEARCH_DEPTH = 256;
/** By how much the clocks of two writers may differ, ms. */
const CLOCK_SLACK_MS = 1_000;
const NO_NONCE: Nonce = { writer: -1, serial: -1 };

/** The newest part of a channel's log. */
export class RepeatSearch {
  readonly #state: LogState;
  /** Without holes, the last one is the top's. */
  readonly #records: readonly LogRecord[];

  private constructor(state: LogState, records: readonly LogRecord[]) {
    this.#state = state;
    this.#records = records;
  }

  /** Rejects with an OperationalError. */
  static async load(reader: Pick<LogReader, 'records'>, channel: string, { state }: LogRecord): Promise<RepeatSearch> {
    const to = state.offset;
    const range = { from: Math.max(1, to - SEARCH_DEPTH + 1), to };
    const fromReplica = tailOf(await reader.records(channel, state, range), to);
    const oldest = Math.max(range.from, to - state.slots + 2);
    if (to === 0 || (fromReplica[0] !== undefined && firstOffset(fromReplica[0]) <= oldest)) {
      return new RepeatSearch(state, fromReplica);
    }
    // Expired, or a replica that is behind.
    return new RepeatSearch(state, tailOf(await reader.records(channel, state, range, true), to));
  }

  /** @param since wall clock, ms: nobody can have stored it before. */
  find(nonce: Nonce, since: number): SearchResult {
    const offset = this.#records.reduce<number | undefined>(
      (found, record) => found ?? offsetOf(record, nonce),
      undefined,
    );
    if (offset !== undefined) return { kind: 'stored', offset };
    const earlier = since - CLOCK_SLACK_MS;
    const [oldest] = this.#records;
    const reachesBack =
      this.#state.offset === 0 ||
      this.#state.publishedAt < earlier ||
      (oldest !== undefined && (firstOffset(oldest) === 1 || oldest.state.publishedAt < earlier));
    return { kind: reachesBack ? 'absent' : 'unsure' };
  }
}

/** Whether two records hold the same publications at the same offsets. */
export function isSameRecord(one: LogRecord, other: LogRecord): boolean {
  return (
    one.state.epoch === other.state.epoch &&
    one.state.offset === other.state.offset &&
    one.bodies.length === other.bodies.length &&
    one.bodies.every(({ nonce }, at) => isSameNonce(nonce, other.bodies[at]?.nonce ?? NO_NONCE))
  );
}

/**
 * Whether a record of ours is stored, as it is: another writer may have stored some of its publications, in a record of their
 * own. `later`: it may be stored yet, or some of it is elsewhere, so each publication must be looked for. `unsure`: the ring
 * has come round since. Rejects with an OperationalError.
 */
export async function findRecord(
  reader: Pick<LogReader, 'records'>,
  channel: string,
  { top, ours }: { readonly top: LogRecord | undefined; readonly ours: LogRecord },
): Promise<'stored' | 'absent' | 'later' | 'unsure'> {
  if (ours.bodies.length === 0) return 'absent';
  if (top === undefined) return 'later';
  if (top.state.epoch !== ours.state.epoch) return 'absent';
  if (isSameRecord(top, ours)) return 'stored';
  if (sharesPublication(top, ours)) return 'later';
  // Its slot holds what was there before.
  if (top.state.index < ours.state.index) return 'later';
  const { offset } = ours.state;
  if (offset > top.state.offset) return 'absent';
  const records = await reader.records(channel, top.state, { from: offset, to: offset }, true);
  if (records.some((record) => isSameRecord(record, ours))) return 'stored';
  if (records.some((record) => sharesPublication(record, ours))) return 'later';
  // Somebody else's is there: ours never was.
  return records.length > 0 ? 'absent' : 'unsure';
}

/** Whether a record with the key of an entry comes from an earlier attempt at that entry, not from somebody else. */
export function isOfAttempt({ bodies }: LogRecord, entry: KeyedEntry, isInDoubt: boolean): boolean {
  const [first] = bodies;
  if (entry.kind === 'publication') return first !== undefined && isSameNonce(first.nonce, entry.body.nonce);
  // The mark of a publication outside the stream tells nobody whose it is.
  return first === undefined && isInDoubt;
}

export function sharesPublication(one: LogRecord, other: LogRecord): boolean {
  return other.bodies.some(({ nonce }) => offsetOf(one, nonce) !== undefined);
}

/** Offset of a publication in a record that holds it. */
function offsetOf(record: LogRecord, nonce: Nonce): number | undefined {
  const index = record.bodies.findIndex((body) => isSameNonce(body.nonce, nonce));
  return index === -1 ? undefined : record.state.offset - record.bodies.length + 1 + index;
}

/** The records that follow on each other up to `to`, of those given in order. */
function tailOf(records: readonly LogRecord[], to: number): LogRecord[] {
  const tail: LogRecord[] = [];
  let next = to;
  for (const record of records.toReversed()) {
    if (record.state.offset !== next) break;
    tail.unshift(record);
    next = firstOffset(record) - 1;
  }
  return tail;
}
