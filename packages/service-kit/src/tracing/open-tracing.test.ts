import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createSilentLog } from '../log/log.ts';
import { openTracing } from './open-tracing.ts';
import type { Environment } from './trace-settings.ts';
import type { Tracing } from './tracing.ts';

const PARENT = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const KIND = { kind: 'server' } as const;

afterEach(() => vi.unstubAllEnvs());

async function open(env: Environment = {}, flushDeadlineMs = 3_000): Promise<Tracing> {
  const options = {
    serviceName: 'carillon-test',
    serviceVersion: '1',
    node: 'n1',
    log: createSilentLog(),
    env,
    flushDeadlineMs,
  };
  const tracing = await openTracing(options);
  if (tracing === undefined) throw new Error('traces are off');
  return tracing;
}

/** Bodies that a collector got. */
async function collector(): Promise<{ bodies: Buffer[]; close: () => void }> {
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => bodies.push(chunk));
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${port}`);
  return { bodies, close: () => server.close() };
}

describe('traces', () => {
  it('are off where the environment says so', async () => {
    const options = { serviceName: 's', serviceVersion: '1', node: 'n', log: createSilentLog() };
    expect(await openTracing({ ...options, env: { OTEL_SDK_DISABLED: 'true' } })).toBeUndefined();
  });

  it('go on where the parent is, and follow its decision', async () => {
    const tracing = await open({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    const below = tracing.startSpan('x', { ...KIND, parent: { ...PARENT, isSampled: true } });
    expect(below.context).toMatchObject({ traceId: PARENT.traceId, isSampled: true });
    expect(below.context.spanId).not.toBe(PARENT.spanId);
    expect(tracing.startSpan('x', { ...KIND, parent: { ...PARENT, isSampled: false } }).context.isSampled).toBe(false);
    expect(tracing.startSpan('x', KIND).context.isSampled).toBe(false);
    await tracing.close();
  });

  it('are a share of all where a ratio is given, the same on every node', async () => {
    const env = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };
    const tracing = await open(env);
    const contexts = Array.from({ length: 2_000 }, () => tracing.startSpan('x', KIND).context);
    const share = contexts.filter(({ isSampled }) => isSampled).length / contexts.length;
    expect(share).toBeGreaterThan(0.19);
    expect(share).toBeLessThan(0.31);
    for (const parent of contexts.slice(0, 100)) {
      expect(tracing.startSpan('y', { ...KIND, parent }).context.isSampled).toBe(parent.isSampled);
    }
    await tracing.close();
  });

  it('are sent at the end, with the names that the environment gives', async () => {
    const { bodies, close } = await collector();
    vi.stubEnv('OTEL_SERVICE_NAME', 'bells');
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment=tower');
    const tracing = await open();
    const span = tracing.startSpan('ring', { ...KIND, attributes: { channel: 'noon' } });
    span.set({ offset: 12 });
    span.fail('cracked');
    span.end();
    expect(bodies).toEqual([]);
    await tracing.close();
    const sent = Buffer.concat(bodies).toString('latin1');
    for (const text of ['ring', 'noon', 'offset', 'cracked', 'bells', 'tower', 'n1']) expect(sent).toContain(text);
    expect(sent).not.toContain('carillon-test');
    close();
  });

  it('end in time though no collector answers', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:1');
    const tracing = await open({}, 30);
    tracing.startSpan('lost', KIND).end();
    const startedAt = performance.now();
    await tracing.close();
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });
});
