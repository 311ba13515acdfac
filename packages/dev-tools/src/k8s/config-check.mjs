import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CACHE_DIR, ROOT, carillonNode } from '../workspace.mjs';

const TIMEOUT_MS = 60_000;
const FLAGS = ['--conditions=development', '--disable-warning=ExperimentalWarning'];

/**
 * What the configuration loader itself says, in strict mode, of the ConfigMap of an overlay with the environment that each
 * service gets in its pod. Secrets have a text of ours. Problems by service: `{ gateway: [], … }`.
 */
export function configProblems(objects, overlay) {
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  return Object.fromEntries(
    deployments.map((deployment) => {
      const { containers, volumes } = deployment.spec.template.spec;
      const env = (containers[0].env ?? []).map(({ name, value }) => [name, value ?? 'a-text-from-the-secret']);
      const name = volumes.find(({ configMap }) => configMap !== undefined)?.configMap.name;
      const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
      return [deployment.metadata.name, loaderSays(map?.data['carillon.json'] ?? '', Object.fromEntries(env), overlay)];
    }),
  );
}

function loaderSays(text, env, overlay) {
  const folder = join(CACHE_DIR, 'k8s');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${overlay}-carillon.json`);
  writeFileSync(file, text);
  const args = [...FLAGS, join(ROOT, 'packages/cli/bin/carillon.js'), 'checkconfig', '--strict', '--config', file];
  const { PATH = '', HOME = '' } = process.env;
  const { status, stdout, stderr, error } = spawnSync(carillonNode(), args, {
    env: { PATH, HOME, ...env },
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (error !== undefined) return [error.message];
  const said = `${stdout}${stderr}`.trim();
  return status === 0 && !/warn|unknown/i.test(said) ? [] : [`checkconfig ended with ${status}: ${said}`];
}
