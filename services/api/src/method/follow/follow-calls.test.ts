import { createLog, systemClock } from '@carillon/service-kit';
import { RecordingTracing, type RecordedSpan } from '@carillon/service-kit/tracing';
import { afterEach, describe, expect, it } from 'vitest';
import { grpcCall } from '../../fixture/grpc-call.ts';
import { configOf, startApiWith } from '../../fixture/start-api.ts';
import { createCallFollower } from './follow-calls.ts';

const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', isSampled: true };
const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`;
const TRACED = { grpc_api: { enabled: true, key: 'k' }, opentelemetry: { enabled: true, api: true } };

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((api) => api.close()));
});

async function start(file: object = TRACED) {
  const tracing = new RecordingTracing();
  const api = await startApiWith(systemClock, configOf(file), tracing);
  opened.push(api);
  await api.broker.join('hi:a', {});
  const post = (path: string, body: unknown, traceparent = TRACEPARENT): Promise<Response> =>
    fetch(`${api.url}/api${path}`, {
      method: 'POST',
      headers: { 'X-API-Key': 'k', traceparent },
      body: JSON.stringify(body),
    });
  return { api, tracing, post };
}

function shape(spans: readonly RecordedSpan[]): unknown[] {
  return spans.map(({ name, parent, hasEnded }) => [name, parent?.spanId, hasEnded]);
}

describe('requests that are followed', () => {
  it('go on in the trace of their caller over HTTP, and so does what they publish', async () => {
    const { api, tracing, post } = await start();
    await post('/publish', { channel: 'hi:a', data: 1 });
    const [request, append] = tracing.spans;
    expect(shape(tracing.spans)).toEqual([
      ['api publish', CALLER.spanId, true],
      ['append', request?.context.spanId, true],
    ]);
    expect(append?.attributes).toMatchObject({ 'messaging.destination.name': 'hi:a', 'carillon.offset': 1 });
    expect(api.received.map(({ live }) => live.trace)).toEqual([append?.context]);
  });

  it('go on in the trace of their caller over gRPC, batches too', async () => {
    const { api, tracing } = await start();
    const metadata = { authorization: 'apikey k', traceparent: TRACEPARENT };
    await grpcCall(api.grpcAddress, 'publish', { channel: 'hi:a', data: Buffer.from('1') }, metadata);
    await grpcCall(api.grpcAddress, 'batch', { commands: [{ info: {} }] }, metadata);
    const [publish, append, batch, info] = tracing.spans;
    expect([publish, append, batch, info].map((span) => span?.name)).toEqual([
      'api publish',
      'append',
      'api batch',
      'api info',
    ]);
    expect(publish?.parent).toEqual(CALLER);
    expect(batch?.parent).toEqual(CALLER);
    expect(info?.parent).toEqual(batch?.context);
    expect(publish?.attributes).toMatchObject({ 'carillon.api.protocol': 'grpc' });
  });

  it('begin a trace where the caller has none, or one that cannot be read', async () => {
    const { tracing, post } = await start();
    await post('/info', {}, 'nonsense');
    await post('', { method: 'info', params: {} }, '');
    expect(tracing.spans.map(({ name, parent }) => [name, parent])).toEqual([
      ['api info', undefined],
      ['api info', undefined],
    ]);
  });

  it('say how many channels they name and what went wrong', async () => {
    const { tracing, post } = await start();
    await post('/broadcast', { channels: ['hi:a', 'nowhere:b', 'c'], data: 1 });
    await post('/publish', { channel: 'nowhere:b', data: 1 });
    const [broadcast] = tracing.spans;
    expect(broadcast?.attributes['carillon.channels']).toBe(3);
    expect(tracing.spans.filter(({ name }) => name === 'append' || name === 'publish')).toHaveLength(2);
    expect(tracing.spans.at(-1)).toMatchObject({ failure: 'unknown channel', hasEnded: true });
    expect(tracing.spans.at(-1)?.attributes['carillon.error.code']).toBe(102);
  });

  it('leave no trace in a publication where their caller does not sample', async () => {
    const { api, tracing, post } = await start();
    await post('/publish', { channel: 'hi:a', data: 1 }, TRACEPARENT.replace(/01$/, '00'));
    expect(tracing.spans).toEqual([]);
    expect(api.received.map(({ live }) => live.trace)).toEqual([undefined]);
  });

  it('are not traced unless opentelemetry.api says so', async () => {
    const { tracing, post } = await start({ opentelemetry: { enabled: true } });
    await post('/publish', { channel: 'hi:a', data: 1 });
    expect(tracing.spans).toEqual([]);
  });

  it('are in the log of level debug with the place of what they published', async () => {
    const lines: unknown[] = [];
    const log = createLog({ level: 'debug', destination: { write: (line) => void lines.push(JSON.parse(line)) } });
    const follow = createCallFollower({ tracing: undefined, log });
    const call = follow?.({ protocol: 'http', method: 'publish', request: { channel: 'a' }, parent: undefined });
    call?.startPublish('a', true).published({ position: { offset: 7, epoch: 'e' } });
    call?.end(undefined);
    expect(lines).toMatchObject([
      { msg: 'a publication was taken', channel: 'a', offset: 7, epoch: 'e' },
      { msg: 'an API method was called', method: 'publish', channels: 1 },
    ]);
  });

  it('cost nothing where nobody follows: there is no follower at all', () => {
    const log = createLog({ level: 'info', destination: { write: () => undefined } });
    expect(createCallFollower({ tracing: undefined, log })).toBeUndefined();
  });
});
