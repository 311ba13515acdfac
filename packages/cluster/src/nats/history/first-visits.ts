import { SingleFlight, type Log } from '@carillon/service-kit';
import type { HistoryRequest } from '../../broker.ts';
import type { Publication } from '@carillon/protocol/client';
import type { LogRecord, LogState } from '../record/log-record.ts';
import type { OffsetRange } from '../log/history-range.ts';
import { isWithin, publicationsOf, type LogReader } from '../log/log-reader.ts';

export interface FirstVisitsDependencies {
  readonly reader: Pick<LogReader, 'oldest'>;
  readonly log: Log;
}

/** The server looks at every slot of a ring, and refuses more than 1,024. */
const MAX_HISTORY_SIZE = 500;
/** A smaller part of the ring is cheaper to read slot by slot. */
const MIN_SHARE = 1 / 4;
/** The slot that a ring has beyond its size, and the record that holds no publication. */
const MORE_RECORDS = 2;

/**
 * Saves the first read of a channel a round trip: reads what most likely is the answer, the oldest records of the log,
 * while somebody else asks for the newest one, which tells whether it is.
 */
export class FirstVisits {
  readonly #deps: FirstVisitsDependencies;
  readonly #reads: SingleFlight<string, readonly LogRecord[]> = new SingleFlight();

  constructor(deps: FirstVisitsDependencies) {
    this.#deps = deps;
  }

  /** Undefined where no guess is worth it; never rejects. */
  begin(channel: string, request: HistoryRequest): Promise<readonly LogRecord[]> | undefined {
    const { reader, log } = this.#deps;
    const limit = recordsFor(request);
    if (limit === undefined) return undefined;
    return this.#reads.run(`${limit} ${channel}`, () =>
      reader.oldest(channel, limit).catch((error: unknown) => {
        log.debug('the oldest records of a channel could not be read', { channel, error });
        return [];
      }),
    );
  }
}

/** The publications of the range, if the records hold all of them: they never change, however old the read is. */
export function wholeRange(
  records: readonly LogRecord[],
  state: LogState,
  range: OffsetRange,
): Publication[] | undefined {
  const within = records.filter((record) => isWithin(record, state, range));
  const publications = publicationsOf(within, range);
  return publications.length === range.to - range.from + 1 ? publications : undefined;
}

function recordsFor({ limit, since, reverse, retention }: HistoryRequest): number | undefined {
  const { historySize } = retention;
  if (since !== undefined || limit === 0 || historySize > MAX_HISTORY_SIZE) return undefined;
  const isWhole = limit < 0 || limit >= historySize;
  if (isWhole) return historySize + MORE_RECORDS;
  return reverse === true || limit < historySize * MIN_SHARE ? undefined : limit + MORE_RECORDS;
}
