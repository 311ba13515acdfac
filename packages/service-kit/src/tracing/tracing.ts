import type { TraceContext } from './trace-context.ts';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** `server`: answers a request of another process. `client`: makes one. `producer`, `consumer`: both ends of a message. */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer';

export interface SpanStart {
  readonly kind: SpanKind;
  /** Undefined: the first span of a trace, which the sampler decides on. */
  readonly parent?: TraceContext | undefined;
  readonly attributes?: SpanAttributes | undefined;
}

/** One step of a trace. Whoever starts it ends it, once. */
export interface Span {
  /** What its children take as their parent; `isSampled` false: nothing is recorded, here and below. */
  readonly context: TraceContext;
  set(attributes: SpanAttributes): void;
  /** Marks it as failed; it is still to be ended. */
  fail(reason: string): void;
  end(): void;
}

/** The traces of a process. Where they are off there is no such object, and asking for it is all that they cost. */
export interface Tracing {
  /** Of this node, for spans that say where they were made. */
  readonly node: string;
  startSpan(name: string, start: SpanStart): Span;
  /** Sends what waits, within a deadline, and stops. Never rejects. Idempotent. */
  close(): Promise<void>;
}
