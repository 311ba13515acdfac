import type { Ask, Decision, DecisionService } from '@carillon/policy';
import {
  formatTraceparent,
  parseTraceparent,
  TRACEPARENT,
  TRACESTATE,
  type Span,
  type TraceContext,
  type Tracing,
} from '@carillon/service-kit/tracing';

export interface TracedDecisionsDeps {
  readonly decisions: DecisionService;
  readonly tracing: Tracing;
}

/** Decisions of another process as spans; what it does for them goes on in the same trace. */
export function createTracedDecisions({ decisions, tracing }: TracedDecisionsDeps): DecisionService {
  const start = (kind: string, { origin, proxyName }: Ask<unknown>): Span =>
    tracing.startSpan(`decide ${kind}`, {
      kind: 'client',
      parent: clientTrace(origin),
      attributes: { 'carillon.proxy.type': kind, 'carillon.proxy.name': proxyName, 'carillon.node': tracing.node },
    });

  const traced =
    <Message, Result>(kind: string, decide: (ask: Ask<Message>) => Promise<Decision<Result>>) =>
    async (ask: Ask<Message>): Promise<Decision<Result>> => {
      const span = start(kind, ask);
      const decision = await decide({ ...ask, trace: traceOf(span) });
      end(span, decision);
      return decision;
    };

  return {
    connect: traced('connect', (ask) => decisions.connect(ask)),
    refresh: traced('refresh', (ask) => decisions.refresh(ask)),
    subscribe: traced('subscribe', (ask) => decisions.subscribe(ask)),
    publish: traced('publish', (ask) => decisions.publish(ask)),
    subRefresh: traced('sub_refresh', (ask) => decisions.subRefresh(ask)),
    rpc: traced('rpc', (ask) => decisions.rpc(ask)),
    mapPublish: traced('map_publish', (ask) => decisions.mapPublish(ask)),
    mapRemove: traced('map_remove', (ask) => decisions.mapRemove(ask)),
    subscribeStream(ask, listener) {
      const span = start('subscribe_stream', ask);
      const stream = decisions.subscribeStream({ ...ask, trace: traceOf(span) }, listener);
      // The span is that of the opening: a stream lasts for as long as its subscription. Decisions never reject.
      void stream.decision.then((decision) => end(span, decision));
      return stream;
    },
    close: () => decisions.close(),
  };
}

function traceOf({ context }: Span): NonNullable<Ask<unknown>['trace']> {
  return { traceparent: formatTraceparent(context), tracestate: context.state ?? '' };
}

function end(span: Span, decision: Decision<unknown>): void {
  if (decision.kind === 'failed') span.fail(decision.reason);
  else span.set({ 'carillon.decision': decision.kind });
  span.end();
}

/** A client may bring the trace that its connection belongs to, where some proxy passes it on. */
function clientTrace({ headers }: Ask<unknown>['origin']): TraceContext | undefined {
  const [given] = headers.get(TRACEPARENT) ?? [];
  return given === undefined ? undefined : parseTraceparent(given, headers.get(TRACESTATE)?.join(','));
}
