import {
  durationFamily,
  type CounterCell,
  type GaugeCell,
  type Metrics,
  type ObserverCell,
} from '@carillon/service-kit';

import type { Backend, ProxyKind } from './backend/backend.ts';
import type { CircuitState } from './backend/circuit-breaker.ts';

/** Cells of one endpoint asked about one kind of event. */
export interface CallMetrics {
  /** Seconds, successes and failures alike. */
  readonly duration: ObserverCell;
  readonly errors: CounterCell;
  readonly inFlight: GaugeCell;
}

/** Cells of one endpoint. */
export interface EndpointMetrics {
  /** 0 closed, 1 half open, 2 open. */
  readonly setCircuit: (state: CircuitState) => void;
  readonly waiting: GaugeCell;
  /** By failure code. */
  readonly failure: (code: string) => CounterCell;
}

export interface PolicyMetrics {
  call(protocol: Backend['protocol'], kind: ProxyKind, name: string): CallMetrics;
  endpoint(name: string): EndpointMetrics;
  /** Questions of gateways that are being answered. */
  readonly questionsInFlight: GaugeCell;
  /** Questions refused because their caller had too many in flight. */
  readonly questionsRefused: CounterCell;
  /** Streams of gateways. */
  readonly callers: GaugeCell;
}

const CIRCUIT_VALUE: Readonly<Record<CircuitState, number>> = { closed: 0, half_open: 1, open: 2 };

/**
 * The one file that names this service's metrics: ours are `carillon_auth_policy_…`; what upstream measures too has its name
 * behind our prefix (`carillon_proxy_…`, channels-and-config.md §4.2).
 */
export function createPolicyMetrics(metrics: Metrics): PolicyMetrics {
  const ours = metrics.withPrefix('carillon_auth_policy');
  const compat = metrics.withPrefix('carillon');
  const labels = ['protocol', 'type', 'name'] as const;
  const durations = durationFamily(compat, {
    name: 'proxy_duration_seconds',
    help: 'Duration of backend calls.',
    labels,
  });
  const errors = compat.counter({ name: 'proxy_errors', help: 'Backend calls without a usable reply.', labels });
  const inFlight = compat.gauge({ name: 'proxy_inflight_requests', help: 'Backend calls under way.', labels });
  const endpoint = ['endpoint'] as const;
  const circuit = ours.gauge({
    name: 'circuit_state',
    help: 'Circuit breaker of an endpoint: 0 closed, 1 half open, 2 open.',
    labels: endpoint,
  });
  const waiting = ours.gauge({
    name: 'waiting_calls',
    help: 'Calls that wait for a free place at an endpoint.',
    labels: endpoint,
  });
  const failures = ours.counter({
    name: 'backend_failures_total',
    help: 'Backend calls that failed, by reason.',
    labels: ['endpoint', 'reason'],
  });
  return {
    call(protocol, kind, name) {
      const values = { protocol, type: kind, name };
      return { duration: durations.with(values), errors: errors.with(values), inFlight: inFlight.with(values) };
    },
    endpoint(name) {
      const circuitCell = circuit.with({ endpoint: name });
      return {
        setCircuit: (state) => circuitCell.set(CIRCUIT_VALUE[state]),
        waiting: waiting.with({ endpoint: name }),
        failure: (code) => failures.with({ endpoint: name, reason: code }),
      };
    },
    questionsInFlight: ours.gauge({ name: 'questions_in_flight', help: 'Questions being answered.' }).with({}),
    questionsRefused: ours
      .counter({ name: 'questions_refused_total', help: 'Questions beyond what one caller may have in flight.' })
      .with({}),
    callers: ours.gauge({ name: 'caller_streams', help: 'Open streams of gateways.' }).with({}),
  };
}
