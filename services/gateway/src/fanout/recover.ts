import type { HistoryPage } from '@carillon/cluster';
import type { StreamPosition } from '@carillon/protocol/channel';
import type { Publication } from '@carillon/protocol/client';

/** What a read says about a client that wants to recover. Publications are ascending and unfiltered in stream mode. */
export interface RecoveryDecision {
  readonly isRecovered: boolean;
  readonly publications: readonly Publication[];
}

const UNRECOVERED: RecoveryDecision = { isRecovered: false, publications: [] };
const NOTHING_MISSED: RecoveryDecision = { isRecovered: true, publications: [] };

/** Stream mode (§4.5): all or nothing. `page` was read after `from`, ascending, within the recovery limit. */
export function decideStreamRecovery(from: StreamPosition, page: HistoryPage): RecoveryDecision {
  const { publications, top } = page;
  if (from.epoch !== '' && from.epoch !== top.epoch) return UNRECOVERED;
  const first = publications[0];
  const last = publications.at(-1);
  if (first === undefined || last === undefined) return top.offset === from.offset ? NOTHING_MISSED : UNRECOVERED;
  const isWhole =
    first.offset === from.offset + 1 && last.offset === top.offset && publications.length === top.offset - from.offset;
  return isWhole ? { isRecovered: true, publications } : UNRECOVERED;
}

/**
 * Cache mode (§4.6): the newest publication or nothing. `page` was read from the newest backwards; `matches` finds the
 * newest one that the subscriber's filter lets through, if it has a filter.
 */
export function decideCacheRecovery(
  from: StreamPosition | undefined,
  page: HistoryPage,
  matches?: (publication: Publication) => boolean,
): RecoveryDecision {
  const { publications, top } = page;
  // compat: offset 0 is no state that a client can have, not even of a stream without publications.
  const isSameState = from !== undefined && from.offset > 0 && from.offset === top.offset && from.epoch === top.epoch;
  const newest = publications[0];
  const latest = matches === undefined ? newest : publications.find((publication) => matches(publication));
  if (newest === undefined || latest === undefined) return isSameState ? NOTHING_MISSED : UNRECOVERED;
  // The newest one retained is not the newest one published: the cache was trimmed.
  if (newest.offset !== top.offset) return UNRECOVERED;
  return isSameState ? NOTHING_MISSED : { isRecovered: true, publications: [latest] };
}
