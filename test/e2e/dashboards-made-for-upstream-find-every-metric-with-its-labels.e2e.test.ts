import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBackend, type Backend } from '../harness/backend.ts';
import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { openOfficialClient } from '../harness/official-client.ts';
import { RawClient } from '../harness/raw-client.ts';
import { UPSTREAM_METRICS } from '../harness/upstream-metrics.ts';

const configFor = ({ url }: Backend): Record<string, unknown> => ({
  prometheus: { enabled: true, instrument_http_handlers: true },
  client: { ping_interval: '1s', pong_timeout: '500ms' },
  channel: {
    proxy: { subscribe: { endpoint: `${url}/subscribe`, timeout: '500ms' } },
    without_namespace: {
      allow_subscribe_for_client: true,
      allow_tags_filter: true,
      presence: true,
      join_leave: true,
      history_size: 10,
      history_ttl: '60s',
      force_recovery: true,
    },
    namespaces: [{ name: 'asked', subscribe_proxy_enabled: true, allow_subscribe_for_client: true }],
  },
});

/** What makes each metric have at least one sample. */
async function makeTraffic(server: Deployment): Promise<void> {
  const client = openOfficialClient({ url: server.wsUrl(), token: server.token('ann'), name: 'app' });
  await client.connect();
  const news = await client.subscribe('news');
  await client.subscribe('asked:one');
  for (let n = 0; n < 3; n += 1) await server.api('publish', { channel: 'news', data: { n } });
  for (let n = 0; n < 2; n += 1) await server.api('publish', { channel: 'news', data: {}, idempotency_key: 'k' });
  await eventually(() => expect(news.publications.length).toBeGreaterThan(3));
  await server.api('channels', {});
  await server.api('presence', { channel: 'news' });
  await server.api('publish', { channel: 'no-such:namespace', data: {} });

  const history = await server.api('history', { channel: 'news' });
  const raw = await RawClient.open(server.wsUrl());
  await raw.connect({ token: server.token('bob') });
  await raw.subscribe('news', { recover: true, offset: 1, epoch: String(history.body.result?.['epoch']) });
  await raw.subscribe('no-such:namespace');
  await server.api('unsubscribe', { user: 'bob', channel: 'news' });
  await server.api('disconnect', { user: 'bob' });
  await raw.closed();
  // A pong is measured after the first ping, within a second.
  await eventually(async () => {
    expect(await (await fetch(`${server.gatewayUrl()}/metrics`)).text()).toContain(
      'client_ping_pong_duration_seconds_sum',
    );
  });
  client.close();
}

interface Family {
  readonly type: string;
  /** Names of labels of its samples, `le` and `quantile` aside. */
  readonly labels: ReadonlySet<string>;
}

function familiesIn(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let family: { type: string; labels: Set<string> } = { type: '', labels: new Set() };
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) families.set(name, (family = { type, labels: new Set() }));
    if (line.startsWith('#')) continue;
    for (const [, label = ''] of line.matchAll(/[{,](\w+)="/g))
      if (!/^(le|quantile)$/.test(label)) family.labels.add(label);
  }
  return families;
}

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let backend: Backend;
  let server: Deployment;
  const scraped: Record<string, Map<string, Family>> = {};

  beforeAll(async () => {
    backend = await startBackend(() => ({ result: {} }));
    server = await start({ config: configFor(backend), gateways: 1, apis: 1 });
    await makeTraffic(server);
    const urls = { gateway: server.gatewayUrl(), api: server.apiUrl(), 'auth-policy': server.authPolicies[0]?.url };
    for (const [service, url = server.gatewayUrl()] of Object.entries(urls)) {
      scraped[service] = familiesIn(await (await fetch(`${url}/metrics`)).text());
    }
  });
  afterAll(async () => {
    await server.stop();
    await backend.stop();
  });

  it.each(UPSTREAM_METRICS)(
    '$name is there under the name of upstream, with its labels',
    ({ service, name, type, labels }) => {
      const family = scraped[service]?.get(`centrifugo_${name}`);
      expect(family?.type).toBe(type);
      expect([...(family?.labels ?? [])].toSorted()).toEqual(labels.toSorted());
    },
  );

  it.each(UPSTREAM_METRICS)('$name is there under our prefix, without the labels that are always empty', (metric) => {
    const family = scraped[metric.service]?.get(`carillon_${metric.name}`);
    expect(family?.type).toBe(metric.type);
    const empty = ['channel_namespace', 'accept_protocol'];
    expect([...(family?.labels ?? [])].toSorted()).toEqual(
      metric.labels.filter((label) => !empty.includes(label)).toSorted(),
    );
  });
});
