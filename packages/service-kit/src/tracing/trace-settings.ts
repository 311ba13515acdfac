import type { Log } from '../log/log.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `OTEL_TRACES_SAMPLER` (OpenTelemetry, general SDK configuration). */
export interface SamplerSettings {
  readonly root: 'always_on' | 'always_off' | 'traceidratio';
  /** Whether the decision of a parent is followed. */
  readonly isParentBased: boolean;
  /** Share of traces, 0 to 1. */
  readonly ratio: number;
}

/** Bounds of what waits to be exported (`OTEL_BSP_*`). */
export interface QueueSettings {
  /** Spans; those beyond are dropped. */
  readonly maxQueue: number;
  readonly maxBatch: number;
  readonly delayMs: number;
  readonly timeoutMs: number;
}

export interface TraceSettings {
  /** `OTEL_SDK_DISABLED`, or `OTEL_TRACES_EXPORTER=none`. */
  readonly isDisabled: boolean;
  readonly sampler: SamplerSettings;
  readonly queue: QueueSettings;
}

const SAMPLERS: ReadonlyMap<string, Omit<SamplerSettings, 'ratio'>> = new Map([
  ['always_on', { root: 'always_on', isParentBased: false }],
  ['always_off', { root: 'always_off', isParentBased: false }],
  ['traceidratio', { root: 'traceidratio', isParentBased: false }],
  ['parentbased_always_on', { root: 'always_on', isParentBased: true }],
  ['parentbased_always_off', { root: 'always_off', isParentBased: true }],
  ['parentbased_traceidratio', { root: 'traceidratio', isParentBased: true }],
]);
const DEFAULT_SAMPLER: Omit<SamplerSettings, 'ratio'> = { root: 'always_on', isParentBased: true };

const MAX_QUEUE = 2_048;
const MAX_BATCH = 512;
const DELAY_MS = 5_000;
const TIMEOUT_MS = 30_000;

/** Reads the `OTEL_*` variables that the SDK leaves to its user. One that can't be used gets a warning and its default. */
export function traceSettings(env: Environment, log: Log): TraceSettings {
  const read = (name: string): string => env[name]?.trim() ?? '';
  const number = (name: string, fallback: number, { min, max }: { min: number; max: number }): number => {
    const text = read(name);
    if (text === '') return fallback;
    const value = Number(text);
    if (value >= min && value <= max) return value;
    log.warn('an environment variable of traces is out of range, its default is used', { name, value: text, fallback });
    return fallback;
  };
  const count = { min: 1, max: 1_000_000 };
  const time = { min: 1, max: 3_600_000 };
  warnOfProtocol(read, log);
  const maxQueue = number('OTEL_BSP_MAX_QUEUE_SIZE', MAX_QUEUE, count);
  return {
    isDisabled: read('OTEL_SDK_DISABLED').toLowerCase() === 'true' || read('OTEL_TRACES_EXPORTER') === 'none',
    sampler: {
      ...samplerNamed(read('OTEL_TRACES_SAMPLER'), log),
      ratio: number('OTEL_TRACES_SAMPLER_ARG', 1, { min: 0, max: 1 }),
    },
    queue: {
      maxQueue,
      maxBatch: Math.min(maxQueue, number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', MAX_BATCH, count)),
      delayMs: number('OTEL_BSP_SCHEDULE_DELAY', DELAY_MS, time),
      timeoutMs: number('OTEL_BSP_EXPORT_TIMEOUT', TIMEOUT_MS, time),
    },
  };
}

function samplerNamed(name: string, log: Log): Omit<SamplerSettings, 'ratio'> {
  if (name === '') return DEFAULT_SAMPLER;
  const sampler = SAMPLERS.get(name);
  if (sampler !== undefined) return sampler;
  log.warn('unknown OTEL_TRACES_SAMPLER, parentbased_always_on is used', { sampler: name });
  return DEFAULT_SAMPLER;
}

/** One exporter is built in. */
function warnOfProtocol(read: (name: string) => string, log: Log): void {
  const protocol = read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') || read('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== '' && protocol !== 'http/protobuf') {
    log.warn('traces are exported by http/protobuf alone', { protocol });
  }
  const exporter = read('OTEL_TRACES_EXPORTER');
  if (exporter !== '' && exporter !== 'otlp' && exporter !== 'none') {
    log.warn('traces are exported by otlp alone', { exporter });
  }
}
