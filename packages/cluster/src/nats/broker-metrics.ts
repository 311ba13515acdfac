// What the broker counts. Cells are looked up once; without metrics they count into nothing.
import type { CounterCell, Metrics } from '@carillon/service-kit';

export interface BrokerMetrics {
  /** Records the log has acknowledged. */
  readonly recordsStored: CounterCell;
  /** Another writer was faster. */
  readonly appendConflicts: CounterCell;
  /** Attempts that failed or whose acknowledgement was lost. */
  readonly appendRetries: CounterCell;
  /** Publications the owner did not take in time, so that this node appended them. */
  readonly ownerFallbacks: CounterCell;
  readonly gapsFilled: CounterCell;
  /** Gaps that the log could not fill: subscribers were told. */
  readonly positionsLost: CounterCell;
}

const NOTHING: CounterCell = { inc: () => undefined };

/** @param metrics of the process, under its prefix; each name is registered once. */
export function createBrokerMetrics(metrics: Metrics | undefined): BrokerMetrics {
  if (metrics === undefined) {
    return {
      recordsStored: NOTHING,
      appendConflicts: NOTHING,
      appendRetries: NOTHING,
      ownerFallbacks: NOTHING,
      gapsFilled: NOTHING,
      positionsLost: NOTHING,
    };
  }
  const counter = (name: string, help: string): CounterCell => metrics.counter({ name, help }).with({});
  return {
    recordsStored: counter('broker_log_records_total', 'Records that the channel log has acknowledged.'),
    appendConflicts: counter('broker_append_conflicts_total', 'Appends that met the record of another writer.'),
    appendRetries: counter('broker_append_retries_total', 'Appends that failed, or whose acknowledgement was lost.'),
    ownerFallbacks: counter(
      'broker_owner_fallbacks_total',
      'Publications appended here since the owner did not answer.',
    ),
    gapsFilled: counter('broker_gaps_filled_total', 'Gaps in live delivery that were read from the log.'),
    positionsLost: counter('broker_positions_lost_total', 'Gaps that the log could not fill, and streams begun anew.'),
  };
}
