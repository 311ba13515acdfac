import type { Log } from '../log/log.ts';
import { traceSettings, type Environment } from './trace-settings.ts';
import type { Tracing } from './tracing.ts';

export interface OpenTracingOptions {
  /** `service.name` unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say otherwise. */
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** Name of the node, for spans. */
  readonly node: string;
  readonly log: Log;
  /** Read for what the SDK leaves to its user; endpoint, headers and resource come from the process environment. */
  readonly env: Environment;
  /** For the last spans, at the end of the process, ms. Default 3 s: less than a resource has to stop. */
  readonly flushDeadlineMs?: number | undefined;
}

/**
 * Starts traces that go to an OpenTelemetry collector (channels-and-config, `opentelemetry`). Only here are the packages of
 * OpenTelemetry loaded: a process that never calls this has none of them in memory. Undefined where the environment turns
 * traces off (`OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER=none`).
 */
export async function openTracing(options: OpenTracingOptions): Promise<Tracing | undefined> {
  const settings = traceSettings(options.env, options.log);
  if (settings.isDisabled) return undefined;
  const { OtlpTracing } = await import('./otlp-tracing.ts');
  return new OtlpTracing(options, settings);
}
