// npm run check:k8s: renders the overlays of deploy/k8s, holds them against the schemas of Kubernetes and against what
// docs/kubernetes.md promises. Needs Go and Python 3 with pip the first time; a machine that can't have the tools skips it and says
// so. Ends with `N passed, N failed`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { configProblems } from './k8s/config-check.mjs';
import { PRODUCTION_PROMISES, PROMISES } from './k8s/promises.mjs';
import { MissingTool, provideKustomize, providePython, run } from './k8s/provide-tools.mjs';
import { PRODUCTION_WIRING_PROMISES, WIRING_PROMISES } from './k8s/wiring-promises.mjs';
import { ensureSetup } from './setup.mjs';
import { CACHE_DIR, ROOT } from './workspace.mjs';

const ALL = { ...PROMISES, ...WIRING_PROMISES };
const OVERLAYS = { dev: ALL, production: { ...ALL, ...PRODUCTION_PROMISES, ...PRODUCTION_WIRING_PROMISES } };
/** The oldest that has all that we use (sleep in preStop), and the newest known to the validator. */
const KUBERNETES_VERSIONS = ['1.30.0', '1.37.0'];
/** Kinds of the Prometheus operator: not of Kubernetes itself, so it has no schema for them. */
const FOREIGN_KINDS = ['ServiceMonitor', 'PodMonitor'];
const TO_JSON = 'import json,sys,yaml; json.dump([o for o in yaml.safe_load_all(sys.stdin) if o], sys.stdout)';
const MAX_SHOWN_CHARS = 4_000;

let passed = 0;
let failed = 0;

function report(name, problems) {
  if (problems.length === 0) passed += 1;
  else failed += 1;
  console.log(`${problems.length === 0 ? 'ok' : 'FAIL'} ${name}`);
  for (const problem of problems) console.log(`     ${problem}`);
}

/** Problems that the schemas of one version find. */
function brokenSchemas({ python, objects, overlay, version }) {
  const folder = join(CACHE_DIR, 'k8s');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${overlay}.json`);
  // JSON is YAML: one document for each object.
  const own = objects.filter(({ kind }) => !FOREIGN_KINDS.includes(kind));
  writeFileSync(file, own.map((object) => JSON.stringify(object)).join('\n---\n'));
  const { status, stdout, stderr } = python(['-m', 'kubernetes_validate', '--strict', '-k', version, file]);
  const checked = [...`${stdout}${stderr}`.matchAll(/ passed for resource /g)].length;
  if (status === 0 && checked === own.length) return [];
  return [
    `${checked} of ${own.length} objects hold`,
    `${stdout}${stderr}`.replaceAll(/^INFO.*\n/gm, '').slice(0, MAX_SHOWN_CHARS),
  ];
}

function check() {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const kustomize = provideKustomize();
  const python = providePython();
  ensureSetup();
  for (const [overlay, promises] of Object.entries(OVERLAYS)) {
    const rendered = run(kustomize, ['build', join(ROOT, 'deploy/k8s/overlays', overlay)]);
    const { status, stdout, stderr } = python(['-c', TO_JSON], rendered);
    if (status !== 0) throw new Error(`what kustomize made is no YAML: ${stderr}`);
    const objects = JSON.parse(stdout);
    for (const version of KUBERNETES_VERSIONS)
      report(`${overlay}: valid for Kubernetes ${version}`, brokenSchemas({ python, objects, overlay, version }));
    for (const [name, promise] of Object.entries(promises))
      report(`${overlay}: ${name}`, promise(objects, { version }));
    for (const [service, found] of Object.entries(configProblems(objects, overlay)))
      report(`${overlay}: ${service} takes its configuration as it is in the pod`, found);
  }
}

try {
  check();
} catch (error) {
  if (error instanceof MissingTool) console.log(`skipped: ${error.message}`);
  else {
    failed += 1;
    console.error(`carillon: ${error.message}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
