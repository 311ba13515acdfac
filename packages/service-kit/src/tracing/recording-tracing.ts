import type { TraceContext } from './trace-context.ts';
import type { Span, SpanAttributes, SpanKind, SpanStart, Tracing } from './tracing.ts';

export interface RecordedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: TraceContext;
  readonly parent: TraceContext | undefined;
  readonly attributes: Record<string, string | number | boolean>;
  failure: string | undefined;
  hasEnded: boolean;
}

/** Traces for tests: every span of a sampled trace is kept, ids are counted. */
export class RecordingTracing implements Tracing {
  readonly node: string = 'recording';
  readonly spans: RecordedSpan[] = [];
  #count = 0;

  startSpan(name: string, { kind, parent, attributes }: SpanStart): Span {
    this.#count += 1;
    const id = this.#count.toString(16);
    const context: TraceContext = {
      traceId: parent?.traceId ?? id.padStart(32, '0'),
      spanId: id.padStart(16, '0'),
      isSampled: parent?.isSampled ?? true,
      ...(parent?.state === undefined ? {} : { state: parent.state }),
    };
    const span: RecordedSpan = {
      name,
      kind,
      context,
      parent,
      attributes: { ...attributes },
      failure: undefined,
      hasEnded: false,
    };
    if (context.isSampled) this.spans.push(span);
    return {
      context,
      set: (more: SpanAttributes) => void Object.assign(span.attributes, more),
      fail: (reason) => void (span.failure = reason),
      end: () => void (span.hasEnded = true),
    };
  }

  async close(): Promise<void> {}
}
