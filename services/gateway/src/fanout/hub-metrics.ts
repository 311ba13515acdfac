import type { CounterCell, Metrics } from '@carillon/service-kit';

/** What the fan-out counts; every cell is looked up once, so that the hot loop only adds. */
export interface HubMetrics {
  /** Publications that came from the broker for a channel with subscribers. */
  readonly publications: CounterCell;
  /** Publication pushes handed to connections: one per subscriber. */
  readonly deliveries: CounterCell;
  /** Join and leave pushes handed to connections. */
  readonly joinLeaveDeliveries: CounterCell;
  /** Publications that a subscriber did not get since its tags filter does not want them. */
  readonly tagsFilterDropped: CounterCell;
  /** Publications that positioned subscribers had already. */
  readonly duplicates: CounterCell;
  /** Frames encoded: at most one per publication and wire variant. */
  readonly framesEncoded: CounterCell;
  /** Publications sent as a patch in at least one encoding. */
  readonly patches: CounterCell;
  /** Subscriptions ended because their place in the stream was lost (2500, 3010), openings included. */
  readonly insufficientStates: CounterCell;
  /** Connections that met a payload their encoding can't carry (3506). */
  readonly inappropriatePayloads: CounterCell;
  /** Streams read at the broker for subscribing. */
  readonly streamReads: CounterCell;
  /** Subscribes that waited for the read of another instead of reading. */
  readonly streamReadsShared: CounterCell;
  /** Times the buffer of an opening channel was over its bound and dropped. */
  readonly pendingOverflows: CounterCell;
  readonly positionChecks: CounterCell;
  readonly positionCheckFailures: CounterCell;
  /** Joins or parts that the broker refused. */
  readonly brokerFailures: CounterCell;
}

export function createHubMetrics(metrics: Metrics): HubMetrics {
  const counter = (name: string, help: string): CounterCell => metrics.counter({ name, help }).with({});
  return {
    publications: counter('gateway_hub_publications_total', 'Publications received for channels with subscribers'),
    deliveries: counter('gateway_hub_deliveries_total', 'Publication pushes handed to connections'),
    joinLeaveDeliveries: counter(
      'gateway_hub_join_leave_deliveries_total',
      'Join and leave pushes handed to connections',
    ),
    tagsFilterDropped: counter('node_tags_filter_dropped_publications', 'Publications that filters held back'),
    duplicates: counter('gateway_hub_duplicates_total', 'Publications at or below the known position'),
    framesEncoded: counter('gateway_hub_frames_encoded_total', 'Publication frames encoded'),
    patches: counter('gateway_hub_patches_total', 'Delta patches made'),
    insufficientStates: counter('gateway_hub_insufficient_states_total', 'Subscriptions that lost their position'),
    inappropriatePayloads: counter('gateway_hub_inappropriate_payloads_total', 'Payloads a connection could not take'),
    streamReads: counter('gateway_hub_stream_reads_total', 'Stream reads for subscribing'),
    streamReadsShared: counter('gateway_hub_stream_reads_shared_total', 'Subscribes served by the read of another'),
    pendingOverflows: counter('gateway_hub_pending_overflows_total', 'Buffers of opening channels that were full'),
    positionChecks: counter('gateway_hub_position_checks_total', 'Positions of idle channels compared with the broker'),
    positionCheckFailures: counter('gateway_hub_position_check_failures_total', 'Position checks the broker refused'),
    brokerFailures: counter('gateway_hub_broker_failures_total', 'Joins and parts the broker refused'),
  };
}
