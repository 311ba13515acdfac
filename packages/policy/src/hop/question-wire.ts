import type { DecisionContext } from '@carillon/protocol/cluster';

import type { Ask } from '../decision-service.ts';

/** The part that all `…DecisionRequest` messages share. */
export interface WireQuestion<Message> {
  readonly context?: DecisionContext | undefined;
  readonly request?: Message | undefined;
}

/** `deadlineMs`: how long the caller waits. */
export function toWireQuestion<Message>(ask: Ask<Message>, deadlineMs: number): WireQuestion<Message> {
  const { headers, emulatedHeaders, metadata } = ask.origin;
  const context: DecisionContext = {
    headers: toHeaderValues(headers),
    emulatedHeaders,
    metadata: metadata === undefined ? undefined : toHeaderValues(metadata),
    proxy: ask.proxyName,
    deadlineMs,
    traceparent: ask.trace?.traceparent,
    tracestate: ask.trace?.tracestate,
  };
  return { context, request: ask.message };
}

/** Undefined: there is no message in it. */
export function fromWireQuestion<Message>({ context = {}, request }: WireQuestion<Message>): Ask<Message> | undefined {
  if (request === undefined) return undefined;
  const origin = {
    headers: fromHeaderValues(context.headers),
    emulatedHeaders: context.emulatedHeaders ?? {},
    metadata: context.metadata === undefined ? undefined : fromHeaderValues(context.metadata),
  };
  const { traceparent, tracestate = '' } = context;
  const trace = traceparent === undefined ? undefined : { traceparent, tracestate };
  return { message: request, proxyName: context.proxy ?? 'default', origin, trace };
}

type HeaderMap = NonNullable<DecisionContext['headers']>;

function toHeaderValues(headers: ReadonlyMap<string, readonly string[]>): HeaderMap {
  return Object.fromEntries([...headers].map(([name, values]) => [name, { values }]));
}

function fromHeaderValues(headers: HeaderMap = {}): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.entries(headers).map(([name, { values = [] }]) => [name, values]));
}
