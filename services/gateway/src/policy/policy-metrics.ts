import type { CounterCell, GaugeCell, Metrics } from '@carillon/service-kit';

export interface PolicyClientMetrics {
  /** Questions that wait for their answers. */
  readonly inFlight: GaugeCell;
  /** Instances of auth-policy that take questions. */
  readonly readyInstances: GaugeCell;
  readonly failure: (reason: 'overloaded' | 'timeout' | 'no_instance' | 'lost' | 'unencodable') => CounterCell;
}

/** Metrics of the hop to auth-policy. */
export function createPolicyClientMetrics(metrics: Metrics): PolicyClientMetrics {
  const ours = metrics.withPrefix('carillon_gateway');
  const failures = ours.counter({
    name: 'policy_failures_total',
    help: 'Questions to auth-policy that got no answer, by reason.',
    labels: ['reason'],
  });
  return {
    inFlight: ours.gauge({ name: 'policy_questions_in_flight', help: 'Questions that wait for answers.' }).with({}),
    readyInstances: ours
      .gauge({ name: 'policy_ready_instances', help: 'Instances of auth-policy that take questions.' })
      .with({}),
    failure: (reason) => failures.with({ reason }),
  };
}
