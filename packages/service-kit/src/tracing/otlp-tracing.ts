// Traces by the OpenTelemetry SDK, to a collector by OTLP over HTTP. Loaded by openTracing alone.
import {
  createTraceState,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind as OtelSpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type DiagLogger,
  type Span as OtelSpan,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { withDeadline } from '../deadline.ts';
import type { Log } from '../log/log.ts';
import type { OpenTracingOptions } from './open-tracing.ts';
import type { TraceContext } from './trace-context.ts';
import type { SamplerSettings, TraceSettings } from './trace-settings.ts';
import type { Span, SpanAttributes, SpanKind, SpanStart, Tracing } from './tracing.ts';

const FLUSH_DEADLINE_MS = 3_000;
/** A collector that is away must not fill the log. */
const WARNING_INTERVAL_MS = 60_000;

const KINDS: Readonly<Record<SpanKind, OtelSpanKind>> = {
  server: OtelSpanKind.SERVER,
  client: OtelSpanKind.CLIENT,
  producer: OtelSpanKind.PRODUCER,
  consumer: OtelSpanKind.CONSUMER,
};

export class OtlpTracing implements Tracing {
  readonly node: string;
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #log: Log;
  readonly #flushDeadlineMs: number;
  #closing: Promise<void> | undefined = undefined;

  constructor(options: OpenTracingOptions, { sampler, queue }: TraceSettings) {
    const { serviceName, serviceVersion, node, log } = options;
    this.#flushDeadlineMs = options.flushDeadlineMs ?? FLUSH_DEADLINE_MS;
    this.node = node;
    this.#log = log;
    diag.setLogger(diagnostics(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
    const own = { 'service.name': serviceName, 'service.version': serviceVersion, 'service.instance.id': node };
    this.#provider = new TracerProvider({
      // Later ones win: what the operator says in the environment comes last.
      resource: defaultResource()
        .merge(resourceFromAttributes(own))
        .merge(detectResources({ detectors: [envDetector] })),
      sampler: samplerOf(sampler),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: new OTLPTraceExporter(),
          maxQueueSize: queue.maxQueue,
          maxExportBatchSize: queue.maxBatch,
          scheduledDelayMillis: queue.delayMs,
          exportTimeoutMillis: queue.timeoutMs,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('carillon', serviceVersion);
  }

  startSpan(name: string, { kind, parent, attributes }: SpanStart): Span {
    const options = attributes === undefined ? { kind: KINDS[kind] } : { kind: KINDS[kind], attributes };
    return new OtlpSpan(this.#tracer.startSpan(name, options, parent === undefined ? ROOT_CONTEXT : below(parent)));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await withDeadline(this.#provider.shutdown(), this.#flushDeadlineMs, 'trace_flush');
    } catch (error) {
      this.#log.warn('the last spans were not exported', { error });
    }
    diag.disable();
  }
}

class OtlpSpan implements Span {
  readonly context: TraceContext;
  readonly #span: OtelSpan;

  constructor(span: OtelSpan) {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
    this.context = { traceId, spanId, isSampled, state: traceState?.serialize() };
    this.#span = span;
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  fail(reason: string): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
  }

  end(): void {
    this.#span.end();
  }
}

function below({ traceId, spanId, isSampled, state }: TraceContext): Context {
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  const place = { traceId, spanId, traceFlags, isRemote: true };
  return trace.setSpanContext(
    ROOT_CONTEXT,
    state === undefined ? place : { ...place, traceState: createTraceState(state) },
  );
}

function samplerOf({ root, isParentBased, ratio }: SamplerSettings): Sampler {
  const sampler = rootSampler(root, ratio);
  return isParentBased ? new ParentBasedSampler({ root: sampler }) : sampler;
}

function rootSampler(root: SamplerSettings['root'], ratio: number): Sampler {
  if (root === 'always_on') return new AlwaysOnSampler();
  return root === 'always_off' ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}

/** What the SDK has to say, into our log: one line a minute and the number of those left out. */
function diagnostics(log: Log): DiagLogger {
  let quietUntil = Number.NEGATIVE_INFINITY;
  let unwritten = 0;
  const warn = (message: string): void => {
    const now = performance.now();
    if (now < quietUntil) {
      unwritten += 1;
      return;
    }
    log.warn('traces are not exported as they should be', { reason: message, unwritten });
    quietUntil = now + WARNING_INTERVAL_MS;
    unwritten = 0;
  };
  const ignore = (): void => undefined;
  return { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
}
