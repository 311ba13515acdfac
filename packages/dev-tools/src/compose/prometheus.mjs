// What Prometheus of the profile observability has found out about the cluster.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../workspace.mjs';
import { docker } from './project.mjs';
import { imageOf } from './public-images.mjs';

const OBSERVABILITY = join(ROOT, 'deploy/observability');
const DASHBOARDS = join(OBSERVABILITY, 'grafana/dashboards');
const TIMEOUT_MS = 10_000;

/** Throws unless Prometheus reaches as many targets of each service as there are. */
export async function expectTargets(port, expected) {
  const { activeTargets } = await ask(port, 'targets?state=active');
  const up = activeTargets.filter(({ health }) => health === 'up').map(({ labels }) => labels.service);
  for (const [service, count] of Object.entries(expected)) {
    const found = up.filter((name) => name === service).length;
    if (found !== count) throw new Error(`Prometheus reaches ${found} of ${count} ${service}`);
  }
}

/** Throws unless the alerts are loaded and can be evaluated. Gives those that fire. */
export async function firingAlerts(port) {
  const { groups } = await ask(port, 'rules?type=alert');
  const rules = groups.flatMap((group) => group.rules);
  const broken = rules.filter(({ health }) => health !== 'ok');
  if (rules.length === 0 || broken.length > 0) {
    throw new Error(`${rules.length} alerts, not evaluated: ${broken.map(({ name }) => name)}`);
  }
  return rules.filter(({ state }) => state === 'firing').map(({ name }) => name);
}

/** Throws unless the unit tests of the alerts pass. */
export function testAlertRules() {
  const mount = ['-v', `${OBSERVABILITY}:/rules:ro`, '--entrypoint', 'promtool', imageOf('prometheus')];
  docker(['run', '--rm', ...mount, 'check', 'rules', '/rules/alerts.yml']);
  docker(['run', '--rm', ...mount, 'test', 'rules', '/rules/alerts.test.yml']);
}

/** Every expression of every dashboard, with the number of series that Prometheus has for it now. */
export async function panelSeries(port) {
  const rows = [];
  for (const file of readdirSync(DASHBOARDS)) {
    const { title, panels } = JSON.parse(readFileSync(join(DASHBOARDS, file), 'utf8'));
    for (const panel of panels) {
      for (const { expr } of panel.targets) {
        const query = expr.replaceAll('$__rate_interval', '30s');
        const { result } = await ask(port, `query?query=${encodeURIComponent(query)}`);
        rows.push({ panel: `${title}: ${panel.title}`, expr, series: result.length });
      }
    }
  }
  return rows;
}

async function ask(port, path) {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const { status, data, error } = await response.json();
  if (status !== 'success') throw new Error(`Prometheus on ${path}: ${error}`);
  return data;
}
