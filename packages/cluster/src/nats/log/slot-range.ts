// Which records may hold the publications of a range. A record holds one publication or several, so an offset alone does
// not tell its record: the newest record's index and the number of publications since bound it.
import { MAX_BATCH, type LogRecord, type LogState } from '../record/log-record.ts';
import type { OffsetRange } from './history-range.ts';

/** Indices of records, both inclusive; none when `from` > `to`. */
export interface IndexRange {
  readonly from: number;
  readonly to: number;
}

/** Where the records are if each one from the range on holds a single publication, as it mostly is. `top` is the newest state. */
export function likelyRecords(top: LogState, range: OffsetRange): IndexRange {
  return clip(top, {
    from: top.index - (top.offset - range.from),
    to: top.index - Math.max(0, top.offset - range.to),
  });
}

/** Where else they may be, after those that {@link likelyRecords} gave were read: none when these have the end of the range. */
export function laterRecords(top: LogState, range: OffsetRange, found: readonly LogRecord[]): IndexRange {
  const end = Math.min(range.to, top.offset);
  // Some of what came after the end may be in the end's own record.
  const latest = top.index - Math.floor((top.offset - end) / MAX_BATCH);
  let from = likelyRecords(top, range).to + 1;
  let to = latest;
  for (const { state, bodies } of found) {
    if (bodies.length === 0 || state.epoch !== top.epoch || state.offset > top.offset) continue;
    if (state.offset >= end) return { from: 1, to: 0 };
    // At least a publication each, at most a batch.
    const ahead = Math.max(1, Math.ceil((range.from - state.offset) / MAX_BATCH));
    from = Math.max(from, state.index + ahead);
    to = Math.min(to, state.index + end - state.offset);
  }
  return clip(top, { from, to });
}

/** The ring holds no older ones than that, and one slot is the next record's. */
function clip({ index, slots }: LogState, { from, to }: IndexRange): IndexRange {
  return { from: Math.max(1, index - slots + 2, from), to: Math.min(index, to) };
}
