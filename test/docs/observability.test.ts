import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ROOT } from '../harness/checkout.ts';

const FOLDER = 'deploy/observability';
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const dashboards = readdirSync(join(ROOT, FOLDER, 'grafana/dashboards')).map(
  (file) => `${FOLDER}/grafana/dashboards/${file}`,
);

/** The table of operations.md is compared with running services by a test of its own. */
const ours = new Set(read('docs/operations.md').match(/(?<=^\| `)carillon_\w+/gm));

/** Metrics of ours that a text names, without the suffixes of histograms and summaries. */
function unknownMetrics(text: string): string[] {
  const named = [...text.matchAll(/\bcarillon_[a-z_]+\b/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(0);
  return named.filter((name) => !ours.has(name) && !ours.has(name.replace(/_(bucket|count|sum)$/, '')));
}

describe('deploy/observability', () => {
  it.each([...dashboards, `${FOLDER}/alerts.yml`])('%s asks for metrics that exist', (path) => {
    expect(unknownMetrics(read(path))).toEqual([]);
  });

  it('has a runbook for each alert', () => {
    const alerts = [...read(`${FOLDER}/alerts.yml`).matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const headings = [...read('docs/observability.md').matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(alerts.length).toBeGreaterThan(10);
    expect(headings).toEqual(alerts);
  });

  it('has a dashboard for each view, each with an address of its own', () => {
    const ids = dashboards.map((path) => (JSON.parse(read(path)) as { uid: string }).uid);
    expect(ids.toSorted()).toEqual(['carillon-api', 'carillon-gateway', 'carillon-log', 'carillon-overview']);
  });
});
