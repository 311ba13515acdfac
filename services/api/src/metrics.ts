import {
  durationFamily,
  type CounterCell,
  type GaugeCell,
  type Metrics,
  type ObserverCell,
} from '@carillon/service-kit';

export type ApiProtocol = 'http' | 'grpc';

export interface ApiMetrics {
  /** Seconds a method took, failures included. */
  duration(protocol: ApiProtocol, method: string): ObserverCell;
  /** By API error code. */
  errors(protocol: ApiProtocol, method: string, code: number): CounterCell;
  /** HTTP requests whose answer is not written yet. */
  readonly requestsInFlight: GaugeCell;
}

/**
 * The one file that names this service's metrics. What upstream measures too has its name behind our prefix
 * (`carillon_api_command_…`, channels-and-config §4.2).
 */
export function createApiMetrics(metrics: Metrics): ApiMetrics {
  const compat = metrics.withPrefix('carillon');
  const durations = durationFamily(compat, {
    name: 'api_command_duration_seconds',
    help: 'Duration of server API commands.',
    labels: ['protocol', 'method'],
  });
  const errors = compat.counter({
    name: 'api_command_errors_total',
    help: 'Server API commands answered with an error.',
    labels: ['protocol', 'method', 'error'],
  });
  return {
    duration: (protocol, method) => durations.with({ protocol, method }),
    errors: (protocol, method, code) => errors.with({ protocol, method, error: String(code) }),
    requestsInFlight: metrics
      .withPrefix('carillon_api')
      .gauge({ name: 'requests_in_flight', help: 'HTTP requests that are not answered yet.' })
      .with({}),
  };
}
