import type { Ask, Decision, DecisionService } from '@carillon/policy';
import { RecordingTracing } from '@carillon/service-kit/tracing';
import { expect, test } from 'vitest';

import { createTracedDecisions } from './traced-decisions.ts';

const CLIENT = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const ALLOWED: Decision<object> = { kind: 'result', result: {} };

function deciding(decision: Decision<object> = ALLOWED) {
  const asked: Ask<unknown>[] = [];
  const decide = async (ask: Ask<unknown>) => {
    asked.push(ask);
    return decision;
  };
  const decisions: DecisionService = {
    connect: decide,
    refresh: decide,
    subscribe: decide,
    publish: decide,
    subRefresh: decide,
    rpc: decide,
    mapPublish: decide,
    mapRemove: decide,
    subscribeStream: (ask) => ({ decision: decide(ask), publish: async () => true, close: () => undefined }),
    close: async () => undefined,
  };
  const tracing = new RecordingTracing();
  return { asked, tracing, traced: createTracedDecisions({ decisions, tracing }) };
}

const ask = (headers: Record<string, string> = {}) => ({
  message: {},
  proxyName: 'default',
  origin: { headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])), emulatedHeaders: {} },
});

test('the asked process is told of a span for each question', async () => {
  const { asked, tracing, traced } = deciding();
  const all = await Promise.all([
    traced.connect(ask()),
    traced.refresh(ask()),
    traced.subscribe(ask()),
    traced.publish(ask()),
    traced.subRefresh(ask()),
    traced.rpc(ask()),
    traced.mapPublish(ask()),
    traced.mapRemove(ask()),
  ]);
  expect(new Set(all)).toEqual(new Set([ALLOWED]));
  const stream = traced.subscribeStream({ ...ask(), isBidirectional: false }, { onPublication() {}, onEnd() {} });
  expect(await stream.decision).toBe(ALLOWED);
  expect(tracing.spans.map(({ name }) => name)).toEqual([
    'decide connect',
    'decide refresh',
    'decide subscribe',
    'decide publish',
    'decide sub_refresh',
    'decide rpc',
    'decide map_publish',
    'decide map_remove',
    'decide subscribe_stream',
  ]);
  expect(asked.map(({ trace }) => trace)).toEqual(
    tracing.spans.map(({ context: { traceId, spanId } }) => ({
      traceparent: `00-${traceId}-${spanId}-01`,
      tracestate: '',
    })),
  );
  for (const span of tracing.spans) {
    expect(span).toMatchObject({ kind: 'client', hasEnded: true, failure: undefined });
    expect(span.attributes['carillon.decision']).toBe('result');
  }
});

test('the trace that a client brought goes on, with its state', async () => {
  const { asked, tracing, traced } = deciding();
  const traceparent = `00-${CLIENT.traceId}-${CLIENT.spanId}-01`;
  await traced.rpc(ask({ traceparent, tracestate: 'vendor=1' }));
  expect(tracing.spans[0]?.parent).toMatchObject(CLIENT);
  expect(asked[0]?.trace).toEqual({
    traceparent: `00-${CLIENT.traceId}-${tracing.spans[0]?.context.spanId}-01`,
    tracestate: 'vendor=1',
  });
});

test('a question that nobody answered fails its span', async () => {
  const { tracing, traced } = deciding({ kind: 'failed', reason: 'time-out' });
  await traced.publish(ask());
  expect(tracing.spans).toMatchObject([{ failure: 'time-out', hasEnded: true }]);
});
