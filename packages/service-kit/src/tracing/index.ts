export { formatTraceparent, parseTraceparent, TRACEPARENT, TRACESTATE, type TraceContext } from './trace-context.ts';
export { openTracing, type OpenTracingOptions } from './open-tracing.ts';
export type { Span, SpanAttributes, SpanKind, SpanStart, Tracing } from './tracing.ts';
export { RecordingTracing, type RecordedSpan } from './recording-tracing.ts';
