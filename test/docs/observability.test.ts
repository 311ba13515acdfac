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

/** As the pages of the repository get them from their headings. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
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

  it('links each alert to its runbook, and each runbook to headings that exist', () => {
    const linked = [
      ...read(`${FOLDER}/alerts.yml`).matchAll(/- alert: (\w+)\n(?:(?! {6}- alert).*\n)*?\s+runbook: (\S+)/g),
    ];
    expect(linked).toHaveLength(read(`${FOLDER}/alerts.yml`).match(/- alert:/g)?.length ?? 0);
    for (const [, alert = '', runbook] of linked) expect(runbook).toBe(`docs/observability.md#${alert.toLowerCase()}`);
    const links = [...read('docs/observability.md').matchAll(/\]\((?!https?:)([\w./-]*)(?:#([\w-]+))?\)/g)];
    expect(links.length).toBeGreaterThan(2);
    for (const [link, page, anchor] of links) {
      const path = page === '' ? 'docs/observability.md' : `docs/${page}`;
      if (anchor === undefined) expect(() => readFileSync(join(ROOT, path)), link).not.toThrow();
      else expect(anchorsOf(read(path)), link).toContain(anchor);
    }
  });

  // The test of the composed cluster runs them, with the promtool of its Prometheus.
  it('tests each alert', () => {
    const alerts = [...read(`${FOLDER}/alerts.yml`).matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const tests = read(`${FOLDER}/alerts.test.yml`);
    const fired = new Set(
      [...tests.matchAll(/alertname: (\w+)\n\s+exp_alerts:\n\s+- exp_labels/g)].map(([, name]) => name),
    );
    expect(alerts.filter((name) => !fired.has(name))).toEqual([]);
  });

  it('has a dashboard for each view, each with an address of its own', () => {
    const ids = dashboards.map((path) => (JSON.parse(read(path)) as { uid: string }).uid);
    expect(ids.toSorted()).toEqual(['carillon-api', 'carillon-gateway', 'carillon-log', 'carillon-overview']);
  });
});
