export { systemClock, type Clock, type TimerHandle } from './clock.ts';
export { withDeadline } from './deadline.ts';
export { durationFamily } from './observe/duration-family.ts';
export { createHttpInstrument } from './observe/http-instrument.ts';
export { ROUTE_ADDERS } from './observe/route-adders.ts';
export { FakeClock } from './fake-clock.ts';
export { Health, type HealthCheck, type HealthReport } from './health.ts';
export { Lifecycle, type LifecycleOptions, type LifecycleState, type Resource } from './lifecycle.ts';
export { createLog, createSilentLog, type Log, type LogOptions } from './log/log.ts';
export type { LogFields } from './log/log-fields.ts';
export { LOG_LEVELS, parseLogLevel, type LogLevel } from './log/log-level.ts';
export {
  createMetrics,
  type CounterCell,
  type CreateMetricsOptions,
  type Family,
  type GaugeCell,
  type GaugeOptions,
  type HistogramOptions,
  type MetricOptions,
  type Metrics,
  type ObserverCell,
  type SummaryOptions,
} from './metrics.ts';
export { OperationalError, type OperationalErrorOptions } from './operational-error.ts';
export { healthResponse, metricsResponse, type OpsResponse } from './ops-response.ts';
export { OpsServer, type OpsServerOptions } from './ops-server.ts';
export { handleProcessSignals, type ProcessEvents, type ProcessSignalsOptions } from './process-signals.ts';
export { SingleFlight } from './single-flight.ts';
export { NOT_SCHEDULED, TimerWheel, WheelTimer, type TimerWheelOptions, type WheelEntry } from './timer-wheel.ts';
