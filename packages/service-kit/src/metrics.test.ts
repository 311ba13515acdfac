import { describe, expect, it } from 'vitest';

import { createMetrics } from './metrics.ts';

function setUp() {
  const metrics = createMetrics({ prefix: 'carillon', withProcessMetrics: false });
  const lines = async () =>
    (await metrics.render()).body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { metrics, lines };
}

describe('createMetrics', () => {
  it('renders counters under the prefix, counted once however often they are rendered', async () => {
    const { metrics, lines } = setUp();
    const sent = metrics.counter({ name: 'gateway_frames_total', help: 'Frames sent', labels: ['transport'] });
    const cell = sent.with({ transport: 'websocket' });
    cell.inc();
    cell.inc(4);
    await lines();
    cell.inc();
    expect(await lines()).toEqual(['carillon_gateway_frames_total{transport="websocket"} 6']);
  });

  it('gives the same cell for the same labels in any order', async () => {
    const { metrics, lines } = setUp();
    const family = metrics.counter({ name: 'x_total', help: 'x', labels: ['a', 'b'] });
    family.with({ a: '1', b: '2' }).inc();
    family.with({ b: '2', a: '1' }).inc();
    expect(await lines()).toEqual(['carillon_x_total{a="1",b="2"} 2']);
  });

  it('shows a cell that never counted as zero, and none without labels', async () => {
    const { metrics, lines } = setUp();
    metrics.counter({ name: 'x_total', help: 'x' }).with({});
    expect(await lines()).toEqual(['carillon_x_total 0']);
  });

  it('renders gauges that are set and gauges that are read', async () => {
    const { metrics, lines } = setUp();
    const clients = metrics.gauge({ name: 'clients', help: 'Clients' }).with({});
    clients.set(5);
    clients.inc(2);
    clients.dec();
    let size = 3;
    metrics.gauge({ name: 'queue_size', help: 'Queue', read: () => size });
    size = 4;
    expect(await lines()).toEqual(['carillon_clients 6', 'carillon_queue_size 4']);
  });

  it('counts observations in buckets', async () => {
    const { metrics, lines } = setUp();
    const delay = metrics.histogram({ name: 'delay_seconds', help: 'Delay', labels: ['op'], buckets: [0.1, 1] });
    const cell = delay.with({ op: 'read' });
    cell.observe(0.05);
    cell.observe(0.5);
    expect(await lines()).toEqual([
      'carillon_delay_seconds_bucket{le="0.1",op="read"} 1',
      'carillon_delay_seconds_bucket{le="1",op="read"} 2',
      'carillon_delay_seconds_bucket{le="+Inf",op="read"} 2',
      'carillon_delay_seconds_sum{op="read"} 0.55',
      'carillon_delay_seconds_count{op="read"} 2',
    ]);
  });

  it('renders summaries', async () => {
    const { metrics, lines } = setUp();
    metrics
      .summary({ name: 's_seconds', help: 's', percentiles: [0.5] })
      .with({})
      .observe(2);
    expect(await lines()).toContain('carillon_s_seconds{quantile="0.5"} 2');
  });

  it('forgets a set of labels', async () => {
    const { metrics, lines } = setUp();
    const family = metrics.counter({ name: 'x_total', help: 'x', labels: ['node'] });
    family.with({ node: 'a' }).inc();
    family.with({ node: 'b' }).inc();
    await lines();
    family.remove({ node: 'a' });
    expect(await lines()).toEqual(['carillon_x_total{node="b"} 1']);
  });

  it('serves two prefixes from one registry, and process metrics', async () => {
    const metrics = createMetrics({ prefix: 'carillon' });
    metrics.counter({ name: 'a_total', help: 'a' }).with({}).inc();
    metrics.withPrefix('other').counter({ name: 'b_total', help: 'b' }).with({}).inc();
    const { body, contentType } = await metrics.render();
    expect(contentType).toContain('text/plain');
    for (const name of [
      'carillon_a_total 1',
      'other_b_total 1',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
    ]) {
      expect(body).toContain(name);
    }
  });

  it('shows everything under a second prefix too, on request', async () => {
    const metrics = createMetrics({ prefix: 'carillon', withProcessMetrics: false, alsoPrefix: 'centrifugo' });
    metrics
      .counter({ name: 'a_total', help: 'a', labels: ['kind'] })
      .with({ kind: 'x' })
      .inc(2);
    const { body } = await metrics.render();
    expect(body).toContain('# TYPE carillon_a_total counter');
    expect(body).toContain('carillon_a_total{kind="x"} 2\n');
    expect(body).toContain('# TYPE centrifugo_a_total counter');
    expect(body.endsWith('centrifugo_a_total{kind="x"} 2\n')).toBe(true);
  });

  it('gives the copies the labels that the other system has and that are empty here', async () => {
    const metrics = createMetrics({ prefix: 'carillon', withProcessMetrics: false, alsoPrefix: 'centrifugo' });
    metrics
      .counter({ name: 'client_recover', help: 'r', labels: ['recovered'] })
      .with({ recovered: 'yes' })
      .inc();
    metrics
      .histogram({ name: 'client_recovered_publications', help: 'p', buckets: [1] })
      .with({})
      .observe(0);
    const lines = (await metrics.render()).body.split('\n').filter((line) => line.startsWith('centrifugo'));
    expect(lines).toEqual([
      'centrifugo_client_recover{channel_namespace="",recovered="yes"} 1',
      'centrifugo_client_recovered_publications_bucket{channel_namespace="",le="1"} 1',
      'centrifugo_client_recovered_publications_bucket{channel_namespace="",le="+Inf"} 1',
      'centrifugo_client_recovered_publications_sum{channel_namespace=""} 0',
      'centrifugo_client_recovered_publications_count{channel_namespace=""} 1',
    ]);
  });

  it('gives the copies their labels in the order of the alphabet, bounds last', async () => {
    const metrics = createMetrics({ prefix: 'carillon', withProcessMetrics: false, alsoPrefix: 'centrifugo' });
    metrics
      .histogram({ name: 'x_seconds', help: 'x', labels: ['protocol', 'method'], buckets: [1] })
      .with({ protocol: 'http', method: 'a,le="9"}\\ {' })
      .observe(0);
    metrics
      .summary({ name: 'y_seconds', help: 'y', labels: ['type', 'name'], percentiles: [0.5] })
      .with({ type: 't', name: 'n' })
      .observe(0);
    const lines = (await metrics.render()).body.split('\n').filter((line) => line.startsWith('centrifugo'));
    const method = String.raw`method="a,le=\"9\"}\\ {"`;
    expect(lines.map((line) => line.slice('centrifugo_'.length))).toEqual([
      `x_seconds_bucket{${method},protocol="http",le="1"} 1`,
      `x_seconds_bucket{${method},protocol="http",le="+Inf"} 1`,
      `x_seconds_sum{${method},protocol="http"} 0`,
      `x_seconds_count{${method},protocol="http"} 1`,
      'y_seconds{name="n",type="t",quantile="0.5"} 0',
      'y_seconds_sum{name="n",type="t"} 0',
      'y_seconds_count{name="n",type="t"} 1',
    ]);
  });

  it('lets two parts of a process count under one name', async () => {
    const { metrics, lines } = setUp();
    const count = (): void =>
      metrics
        .counter({ name: 'x_total', help: 'x', labels: ['a'] })
        .with({ a: '1' })
        .inc();
    count();
    count();
    expect(await lines()).toEqual(['carillon_x_total{a="1"} 2']);
  });

  it('keeps the registries of two processes in one apart', async () => {
    const { metrics, lines } = setUp();
    setUp().metrics.counter({ name: 'x_total', help: 'x' }).with({}).inc();
    metrics.counter({ name: 'x_total', help: 'x' }).with({});
    expect(await lines()).toEqual(['carillon_x_total 0']);
  });
});
