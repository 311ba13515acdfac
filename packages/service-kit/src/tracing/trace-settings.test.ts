import { describe, expect, it } from 'vitest';
import { createLog } from '../log/log.ts';
import { traceSettings, type Environment } from './trace-settings.ts';

function read(env: Environment) {
  const warnings: string[] = [];
  const log = createLog({ destination: { write: (line) => void warnings.push(line) } });
  return { settings: traceSettings(env, log), warnings };
}

describe('the environment of traces', () => {
  it('follows parents and takes every trace unless told otherwise', () => {
    const { settings, warnings } = read({});
    expect(settings).toEqual({
      isDisabled: false,
      sampler: { root: 'always_on', isParentBased: true, ratio: 1 },
      queue: { maxQueue: 2_048, maxBatch: 512, delayMs: 5_000, timeoutMs: 30_000 },
    });
    expect(warnings).toEqual([]);
  });

  it('names a sampler and its share', () => {
    const { settings } = read({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' });
    expect(settings.sampler).toEqual({ root: 'traceidratio', isParentBased: true, ratio: 0.01 });
    expect(read({ OTEL_TRACES_SAMPLER: 'always_off' }).settings.sampler.root).toBe('always_off');
  });

  it('bounds the queue, and no batch is larger', () => {
    const { settings } = read({ OTEL_BSP_MAX_QUEUE_SIZE: '100', OTEL_BSP_SCHEDULE_DELAY: '200' });
    expect(settings.queue).toMatchObject({ maxQueue: 100, maxBatch: 100, delayMs: 200 });
  });

  it.each([
    { OTEL_TRACES_SAMPLER: 'sometimes' },
    { OTEL_TRACES_SAMPLER_ARG: '2' },
    { OTEL_TRACES_SAMPLER_ARG: 'half' },
    { OTEL_BSP_MAX_QUEUE_SIZE: '0' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { OTEL_TRACES_EXPORTER: 'zipkin' },
  ])('warns of %o and goes on', (env) => {
    const { settings, warnings } = read(env);
    expect(warnings).toHaveLength(1);
    expect(settings).toEqual(read({}).settings);
  });

  it('can switch traces off', () => {
    expect(read({ OTEL_SDK_DISABLED: 'true' }).settings.isDisabled).toBe(true);
    expect(read({ OTEL_TRACES_EXPORTER: 'none' }).settings.isDisabled).toBe(true);
  });
});
