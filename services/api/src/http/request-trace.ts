import { parseTraceparent, TRACEPARENT, type TraceContext } from '@carillon/service-kit/tracing';
import type { HttpRequest } from 'uWebSockets.js';

/** The trace that a request belongs to. While its route runs only. */
export function requestTrace(request: Pick<HttpRequest, 'getHeader'>): TraceContext | undefined {
  const text = request.getHeader(TRACEPARENT);
  return text === '' ? undefined : parseTraceparent(text);
}
