import { RecordingTracing } from '@carillon/service-kit/tracing';
import { afterEach, describe, expect, test } from 'vitest';

import { decisionsOf, NO_ORIGIN } from '../fixture/decision-fixture.ts';
import { grpcAnswers, startGrpcFixture } from '../fixture/grpc-fixture.ts';
import { answers, startHttpFixture } from '../fixture/http-fixture.ts';

const CLIENT = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const TRACEPARENT = `00-${CLIENT.traceId}-${CLIENT.spanId}-01`;
const MESSAGE = { client: 'c1', transport: 'websocket', protocol: 'json', user: '42' };
const WITH_TRACE = { headers: new Map([['traceparent', [TRACEPARENT]]]), emulatedHeaders: {} };

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

function ask(origin = NO_ORIGIN) {
  return { message: MESSAGE, proxyName: 'default', origin };
}

describe('a backend in a trace', () => {
  test('is told over gRPC which span asks it', async () => {
    const backend = await startGrpcFixture(grpcAnswers({ result: {} }));
    const tracing = new RecordingTracing();
    const decisions = decisionsOf({ endpoint: `grpc://${backend.target}` }, { tracing });
    opened.push(decisions, backend);
    await decisions.rpc(ask());
    const [span] = tracing.spans;
    expect(span).toMatchObject({ name: 'proxy rpc', kind: 'client', parent: undefined, hasEnded: true });
    expect(backend.calls[0]?.metadata.get('traceparent')).toEqual([
      `00-${span?.context.traceId}-${span?.context.spanId}-01`,
    ]);
  });

  test('is told over HTTP, in place of the trace that the client brought and that goes on so', async () => {
    const backend = await startHttpFixture(answers({ result: {} }));
    const tracing = new RecordingTracing();
    const decisions = decisionsOf({ endpoint: backend.url, httpHeaders: ['traceparent'] }, { tracing });
    opened.push(decisions, backend);
    await decisions.connect(ask(WITH_TRACE));
    const [span] = tracing.spans;
    expect(span?.parent).toMatchObject(CLIENT);
    expect(backend.requests[0]?.headers['traceparent']).toBe(`00-${CLIENT.traceId}-${span?.context.spanId}-01`);
  });

  test('hears of the span below the one that asked for the decision, with the state of its trace', async () => {
    const [http, grpc] = [await startHttpFixture(answers({ result: {} })), await startGrpcFixture(grpcAnswers({}))];
    const tracing = new RecordingTracing();
    const overHttp = decisionsOf({ endpoint: http.url, httpHeaders: ['traceparent'] }, { tracing });
    const overGrpc = decisionsOf({ endpoint: `grpc://${grpc.target}` }, { tracing });
    opened.push(overHttp, overGrpc, http, grpc);
    const asking = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    const trace = { traceparent: `00-${asking.traceId}-${asking.spanId}-01`, tracestate: 'one=1,two=2' };
    await overHttp.connect({ ...ask(WITH_TRACE), trace });
    await overGrpc.rpc({ ...ask(), trace });
    expect(tracing.spans.map(({ parent }) => parent)).toMatchObject([asking, asking]);
    const expected = tracing.spans.map(({ context }) => `00-${asking.traceId}-${context.spanId}-01`);
    expect(http.requests[0]?.headers).toMatchObject({ traceparent: expected[0], tracestate: 'one=1,two=2' });
    expect(grpc.calls[0]?.metadata.get('traceparent')).toEqual([expected[1]]);
    expect(grpc.calls[0]?.metadata.get('tracestate')).toEqual(['one=1,two=2']);
  });

  test('that fails fails its span', async () => {
    const tracing = new RecordingTracing();
    const decisions = decisionsOf({ endpoint: 'http://127.0.0.1:1/' }, { tracing });
    opened.push(decisions);
    await decisions.refresh(ask());
    expect(tracing.spans).toMatchObject([{ name: 'proxy refresh', hasEnded: true }]);
    expect(tracing.spans[0]?.failure).toContain('no answer');
  });

  test('gets what the client sent, and nothing of ours, while traces are off', async () => {
    const backend = await startHttpFixture(answers({ result: {} }));
    const decisions = decisionsOf({ endpoint: backend.url, httpHeaders: ['traceparent'] });
    opened.push(decisions, backend);
    await decisions.connect(ask());
    await decisions.connect(ask(WITH_TRACE));
    expect(backend.requests.map(({ headers }) => headers['traceparent'])).toEqual([undefined, TRACEPARENT]);
  });
});
