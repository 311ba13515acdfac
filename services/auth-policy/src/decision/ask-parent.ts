import type { Ask } from '@carillon/policy';
import { parseTraceparent, type TraceContext } from '@carillon/service-kit/tracing';

/** The span below which a question is answered; undefined where its asker has no traces. */
export function parentOf({ trace }: Pick<Ask<unknown>, 'trace'>): TraceContext | undefined {
  return trace === undefined ? undefined : parseTraceparent(trace.traceparent, trace.tracestate);
}
