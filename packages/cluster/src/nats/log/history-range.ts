// Which offsets a history request means (client-protocol §4.3). Pure.
import type { StreamPosition } from '@carillon/protocol/channel';
import { BrokerError, type HistoryRequest } from '../../broker.ts';
import { visibleFloor } from './log-state.ts';
import type { LogState } from '../record/log-record.ts';

/** Offsets `from` to `to`, both inclusive; empty when `from` > `to`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

export const EMPTY_RANGE: OffsetRange = { from: 1, to: 0 };

/** Throws BrokerError: `bad_request` for reverse since 0, `unrecoverable` for another epoch. */
export function historyRange(state: LogState, request: HistoryRequest, nowMs: number): OffsetRange {
  const { since, limit, reverse = false } = request;
  if (reverse && since?.offset === 0) throw new BrokerError('bad_request');
  checkEpoch(state, since);
  const floor = visibleFloor(state, request.retention, nowMs);
  if (limit === 0 || floor > state.offset) return EMPTY_RANGE;
  if (reverse) {
    const to = since === undefined ? state.offset : since.offset - 1;
    if (to > state.offset) return EMPTY_RANGE;
    return { from: limit < 0 ? floor : Math.max(floor, to - limit + 1), to };
  }
  const from = since === undefined ? floor : Math.max(floor, since.offset + 1);
  return { from, to: limit < 0 ? state.offset : Math.min(state.offset, from + limit - 1) };
}

/** An empty epoch is not compared. */
function checkEpoch(state: LogState, since: StreamPosition | undefined): void {
  if (since === undefined || since.epoch === '' || since.epoch === state.epoch) return;
  throw new BrokerError('unrecoverable');
}
