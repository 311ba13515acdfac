import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import type { Deployment } from '../harness/deployment.ts';
import { probeHealth } from '../harness/start-process.ts';
import { eventually } from '../harness/eventually.ts';
import { expectGenerated } from './generated-part.ts';

const TEST_DEADLINE_MS = 120_000;

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

describe('docs/operations.md', () => {
  let cluster: Deployment;
  beforeAll(async () => {
    cluster = await startCluster({ gateways: 1, apis: 1, config: { prometheus: { upstream_names: false } } });
  }, TEST_DEADLINE_MS);
  afterAll(() => cluster.stop(), TEST_DEADLINE_MS);

  it('has each metric of each service, and no other', async () => {
    const services = {
      gateway: cluster.gatewayUrl(),
      api: cluster.apiUrl(),
      'auth-policy': cluster.authPolicies[0]?.url,
    };
    const rows = new Map<string, Family & { services: string[] }>();
    for (const [service, url] of Object.entries(services)) {
      const families = familiesIn(await (await fetch(`${url}/metrics`)).text());
      expect(families.length, service).toBeGreaterThan(0);
      for (const family of families) {
        const row = rows.get(family.name) ?? { ...family, services: [] };
        row.services.push(service);
        rows.set(family.name, row);
      }
    }
    const sorted = [...rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const lines = sorted.map(
      (row) => `| \`${row.name}\` | ${row.type} | ${row.services.join(', ')} | ${row.help.replace(/\.$/, '')} |`,
    );
    expectGenerated(
      'docs/operations.md',
      'metrics',
      ['| name | type | of | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n'),
    );
  });

  it('is right about /health: 503 with the reason while NATS is away, 200 again after', async () => {
    const { nats } = cluster;
    if (nats === undefined) throw new Error('a cluster has NATS');
    await nats.stop();
    const health = (): Promise<string[]> => Promise.all([cluster.gatewayUrl(), cluster.apiUrl()].map(probeHealth));
    await eventually(async () =>
      expect(await health()).toEqual([
        '503 {"reasons":["engine: no connection to NATS"]}',
        '503 {"reasons":["nats: no connection to NATS"]}',
      ]),
    );
    expect(await probeHealth(cluster.authPolicies[0]?.url ?? '')).toBe('200 {}');
  });
});

/** Families of our own; those of Node and the process are described by the library that makes them. */
function familiesIn(text: string): Family[] {
  return [...text.matchAll(/^# HELP ((?:carillon|centrifugo)_\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name = '', help = '', type = '']) => ({ name, type, help }),
  );
}
