import type { AskOrigin } from '@carillon/policy';
import {
  parseTraceparent,
  TRACEPARENT,
  TRACESTATE,
  type Span,
  type TraceContext,
  type Tracing,
} from '@carillon/service-kit/tracing';

import type { BackendStream, ProxyKind, StreamCall } from './backend.ts';
import type { GuardedBackend } from './guarded-backend.ts';

export interface TracedBackendOptions {
  readonly backend: GuardedBackend;
  readonly tracing: Tracing;
  /** For the spans. */
  readonly endpointName: string;
}

/** An endpoint whose calls are spans, and that is told of them: what the backend does for a call goes on in its trace. */
export function createTracedBackend({ backend, tracing, endpointName }: TracedBackendOptions): GuardedBackend {
  const start = (kind: ProxyKind, { origin, parent }: Pick<StreamCall, 'origin' | 'parent'>): Span =>
    tracing.startSpan(`proxy ${kind}`, {
      kind: 'client',
      parent: parent ?? clientTrace(origin),
      attributes: { 'carillon.proxy.type': kind, 'carillon.proxy.endpoint': endpointName },
    });

  return {
    async call(call) {
      const span = start(call.method.kind, call);
      try {
        return await backend.call({ ...call, trace: span.context });
      } catch (error) {
        span.fail(reasonOf(error));
        throw error;
      } finally {
        span.end();
      }
    },
    openStream(call, listener): BackendStream {
      const span = start('subscribe_stream', call);
      const stream = backend.openStream({ ...call, trace: span.context }, listener);
      // The span is that of the opening: a stream lasts for as long as its subscription.
      stream.first.then(
        () => span.end(),
        (error: unknown) => {
          span.fail(reasonOf(error));
          span.end();
        },
      );
      return stream;
    },
    close: () => backend.close(),
  };
}

/** A client may bring the trace that its connection belongs to. */
function clientTrace({ headers }: AskOrigin): TraceContext | undefined {
  const [given] = headers.get(TRACEPARENT) ?? [];
  return given === undefined ? undefined : parseTraceparent(given, headers.get(TRACESTATE)?.join(','));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
