import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBackend, type Backend } from '../harness/backend.ts';
import { startCluster } from '../harness/cluster.ts';
import { API_KEY, type Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';
import { startOtlpCollector, type CollectedSpan, type OtlpCollector } from '../harness/otlp-collector.ts';

/** Tells which modules of OpenTelemetry a process loads, but for its API, which the library of the metrics uses. */
const WATCH_MODULES = `import { registerHooks } from 'node:module';
registerHooks({ load: (url, context, next) => {
  if (/opentelemetry\\/(?!api\\/)/.test(url)) process.stderr.write('LOADED ' + url + '\\n');
  return next(url, context);
} });`;
const WATCHED = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(WATCH_MODULES)}` };

const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const [SERVER, CLIENT, PRODUCER, CONSUMER] = [2, 3, 4, 5];

function settings(backend: Backend): Record<string, unknown> {
  return {
    client: {
      proxy: { connect: { enabled: true, endpoint: `${backend.url}/connect`, http_headers: ['traceparent'] } },
    },
    channel: {
      without_namespace: { allow_subscribe_for_client: true },
      namespaces: [{ name: 'log', history_size: 10, history_ttl: '60s', allow_subscribe_for_client: true }],
    },
    log: { level: 'debug' },
  };
}

async function openOn(server: Deployment, gateway: number, channels: readonly string[]): Promise<OfficialClient> {
  const client = openOfficialClient({ url: server.wsUrl(gateway) });
  await client.connect();
  for (const channel of channels) await client.subscribe(channel);
  return client;
}

async function call(server: Deployment, method: string, body: object, flags = '01'): Promise<void> {
  const response = await fetch(`${server.apiUrl()}/api/${method}`, {
    method: 'POST',
    headers: { 'X-API-Key': API_KEY, traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-${flags}` },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  await response.text();
}

describe('a cluster with traces', () => {
  let server: Deployment;
  let backend: Backend;
  let collector: OtlpCollector;
  const clients: OfficialClient[] = [];

  beforeAll(async () => {
    backend = await startBackend(() => ({ result: { user: 'u' } }));
    collector = await startOtlpCollector();
    server = await startCluster({
      config: { ...settings(backend), opentelemetry: { enabled: true, api: true } },
      env: {
        ...WATCHED,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: '100',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
        OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      },
    });
    for (const gateway of [0, 1, 1]) clients.push(await openOn(server, gateway, ['log:news', 'plain']));
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
    await collector.stop();
    await backend.stop();
  });

  const spansOf = (channel: string): readonly CollectedSpan[] => {
    const ofChannel = collector.spans.filter(({ attributes }) => attributes['messaging.destination.name'] === channel);
    const traces = new Set(ofChannel.map(({ traceId }) => traceId));
    return collector.spans.filter(({ traceId }) => traces.has(traceId));
  };

  it('shows request, append and one delivery on each gateway, each below the one before', async () => {
    await call(server, 'publish', { channel: 'log:news', data: { text: 'ding' } });
    await eventually(() => expect(spansOf('log:news')).toHaveLength(4));
    const spans = spansOf('log:news');
    const named = (name: string): CollectedSpan[] => spans.filter((span) => span.name === name);
    const [request] = named('api publish');
    const [append] = named('append');
    const deliveries = named('deliver');
    expect(request).toMatchObject({
      traceId: CALLER.traceId,
      parentId: CALLER.spanId,
      kind: SERVER,
      attributes: { 'carillon.api.method': 'publish', 'carillon.channels': 1, 'carillon.api.protocol': 'http' },
      resource: { 'service.name': 'carillon-api', 'deployment.environment': 'test' },
    });
    expect(append).toMatchObject({
      traceId: CALLER.traceId,
      parentId: request?.spanId,
      kind: PRODUCER,
      attributes: { 'carillon.offset': 1, 'messaging.destination.name': 'log:news' },
    });
    expect(append?.attributes['carillon.epoch']).not.toBe('');
    expect(append?.durationMs).toBeGreaterThan(0);
    expect(deliveries.map(({ parentId, kind }) => ({ parentId, kind }))).toEqual(
      [0, 1].map(() => ({ parentId: append?.spanId, kind: CONSUMER })),
    );
    expect(new Set(deliveries.map(({ attributes }) => attributes['carillon.subscribers']))).toEqual(new Set([1, 2]));
    expect(new Set(deliveries.map(({ attributes }) => attributes['carillon.node'])).size).toBe(2);
    for (const { attributes, resource } of deliveries) {
      expect(attributes).toMatchObject({
        'carillon.offset': 1,
        'carillon.epoch': append?.attributes['carillon.epoch'],
      });
      expect(resource['service.name']).toBe('carillon-gateway');
    }
  });

  it('follows each channel of a broadcast in a batch, also without history', async () => {
    const before = collector.spans.length;
    const broadcast = { channels: ['log:news', 'plain'], data: {} };
    await call(server, 'batch', { commands: [{ broadcast }, { publish: { channel: 'plain', data: 1 } }] });
    const fresh = (): CollectedSpan[] => collector.spans.slice(before);
    await eventually(() => expect(fresh().filter(({ name }) => name === 'deliver')).toHaveLength(6));
    await eventually(() => expect(fresh()).toHaveLength(12));
    const [batch] = fresh().filter(({ name }) => name === 'api batch');
    expect(
      fresh()
        .filter(({ parentId }) => parentId === batch?.spanId)
        .map(({ name }) => name),
    ).toEqual(['api broadcast', 'api publish']);
    expect(
      fresh()
        .map(({ name }) => name)
        .filter((name) => name === 'append' || name === 'publish'),
    ).toHaveLength(3);
  });

  it('marks a request that failed with the code of its error', async () => {
    const before = collector.spans.length;
    await call(server, 'publish', { channel: 'nowhere:x', data: {} });
    await eventually(() => expect(collector.spans).toHaveLength(before + 1));
    expect(collector.spans.at(-1)).toMatchObject({ status: 2, attributes: { 'carillon.error.code': 102 } });
  });

  it('loads OpenTelemetry for it', () => {
    const processes = [...server.gateways, ...server.apis, ...server.authPolicies];
    for (const one of processes) expect(one.output()).toMatch(/LOADED .*sdk-trace/);
  });

  it('records nothing of a trace that its caller does not sample, and carries none', async () => {
    const before = collector.spans.length;
    await call(server, 'publish', { channel: 'log:news', data: { text: 'silent' } }, '00');
    await call(server, 'publish', { channel: 'nowhere:x', data: {} });
    await eventually(() => expect(collector.spans.length).toBeGreaterThan(before));
    expect(collector.spans.slice(before).map(({ name, status }) => [name, status])).toEqual([['api publish', 2]]);
  });

  it('tells the backend which trace its proxied call belongs to', async () => {
    const calls = backend.callsOf('/connect');
    expect(calls).toHaveLength(clients.length);
    for (const wanted of ['proxy connect', 'decide connect']) {
      await eventually(() => expect(collector.spans.filter(({ name }) => name === wanted)).toHaveLength(3));
    }
    const spans = collector.spans.filter(({ name }) => name === 'proxy connect');
    expect(new Set(calls.map(({ headers }) => headers['traceparent']))).toEqual(
      new Set(spans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`)),
    );
    const questions = collector.spans.filter(({ name }) => name === 'decide connect');
    for (const span of spans) expect(span).toMatchObject({ kind: CLIENT });
    for (const span of questions) expect(span).toMatchObject({ kind: CLIENT, parentId: '' });
    expect(new Set(spans.map(({ parentId }) => parentId))).toEqual(new Set(questions.map(({ spanId }) => spanId)));
    expect(new Set(questions.map(({ resource }) => resource['service.name']))).toEqual(new Set(['carillon-gateway']));
  });

  it('writes channel, offset, epoch and trace of a publication to the log of every process, at level debug', async () => {
    const append = spansOf('log:news').find(({ name }) => name === 'append');
    const epoch = append?.attributes['carillon.epoch'];
    const place = { channel: 'log:news', offset: 1, epoch, trace_id: CALLER.traceId };
    const lines = (output: string): unknown[] =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line));
    const apis = server.apis.flatMap((api) => lines(api.output()));
    expect(apis).toContainEqual(expect.objectContaining({ ...place, msg: 'a publication was taken' }));
    for (const gateway of server.gateways) {
      expect(lines(gateway.output())).toContainEqual(
        expect.objectContaining({ ...place, msg: 'a publication is delivered' }),
      );
    }
  });
});

describe('a cluster without traces', () => {
  it('loads nothing of OpenTelemetry and sends no traceparent', async () => {
    const backend = await startBackend(() => ({ result: { user: 'u' } }));
    const collector = await startOtlpCollector();
    const server = await startCluster({
      config: settings(backend),
      apis: 1,
      env: { ...WATCHED, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
    });
    try {
      const client = await openOn(server, 0, ['log:news']);
      await call(server, 'publish', { channel: 'log:news', data: {} });
      client.close();
      const processes = [...server.gateways, ...server.apis, ...server.authPolicies];
      for (const one of processes) expect(one.output()).not.toMatch(/LOADED .*/);
      expect(backend.callsOf('/connect').map(({ headers }) => headers['traceparent'])).toEqual([undefined]);
    } finally {
      await server.stop();
    }
    expect(collector.spans).toEqual([]);
    await collector.stop();
    await backend.stop();
  });
});
