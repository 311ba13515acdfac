// npm run load:smoke: every k6 scenario of test/load/k6 for a few seconds, against a cluster of its own or the one at URL.
// One of them in full: node packages/dev-tools/src/load.mjs fan-out -e VUS=50. Ends with `N passed, N failed`; a machine that can't
// have k6 skips the smoke run and says so.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { MissingTool, provideGoProgram } from './k8s/provide-tools.mjs';
import { startCluster } from './load/start-cluster.mjs';
import { ensureSetup } from './setup.mjs';
import { ROOT } from './workspace.mjs';

const K6 = 'go.k6.io/k6@v1.4.0';
const SCENARIOS = join(ROOT, 'test/load/k6');
const RUN_TIMEOUT_MS = 120_000;

/** Small and lenient on time: a busy machine must not fail what is about lost and doubled publications. */
const SMOKE = {
  DURATION_S: '4',
  WARMUP_S: '2',
  VUS: '10',
  CONNECTIONS_PER_VU: '4',
  USERS: '20',
  VISIT_MS: '2000',
  RECONNECT_EVERY_MS: '1000',
  HOLD_MS: '500',
  PUBLISHERS: '2',
  MAX_DELIVERY_MS: '5000',
  MAX_LATE_DELIVERY_MS: '10000',
  MAX_API_MS: '5000',
  MAX_CONNECT_MS: '10000',
};

function names() {
  const files = readdirSync(SCENARIOS).filter((file) => file.endsWith('.js'));
  return files.map((file) => file.slice(0, -'.js'.length)).toSorted();
}

/** Runs a scenario once; gives whether its thresholds hold. */
function run(k6, name, { env, rest, isSmoke }) {
  const args = ['run', '--quiet', '--no-usage-report', '--address', '', ...rest, join(SCENARIOS, `${name}.js`)];
  const timeout = isSmoke ? RUN_TIMEOUT_MS : undefined;
  return spawnSync(k6, args, { stdio: 'inherit', env, timeout }).status === 0;
}

/** As the other tests, a scenario gets a second try in CI, and the run tells of it at its end. */
function isRetried(name) {
  if (process.env.CI === undefined) return false;
  console.log(`${name} (retry x1)`);
  return true;
}

async function runAll(k6, chosen, { rest, isSmoke }) {
  const { URL: given, API_URL: givenApi } = process.env;
  const cluster = given === undefined && givenApi === undefined ? await startCluster() : undefined;
  const env = { ...cluster?.env, RUN: String(process.pid), ...(isSmoke && SMOKE), ...process.env };
  let passed = 0;
  try {
    for (const name of chosen) {
      const options = { env, rest, isSmoke };
      const isOk = run(k6, name, options) || (isRetried(name) && run(k6, name, options));
      if (isOk) passed += 1;
      console.log(`${isOk ? 'ok' : 'FAIL'} ${name}`);
    }
  } finally {
    await cluster?.stop();
  }
  return { passed, failed: chosen.length - passed };
}

async function main() {
  const passedOn = process.argv.slice(2);
  const isSmoke = passedOn[0] === '--smoke';
  const [name, ...rest] = isSmoke ? [undefined, ...passedOn.slice(1)] : passedOn;
  if (!isSmoke && !names().includes(name)) {
    console.error(`usage: load.mjs --smoke | SCENARIO [k6 arguments]\nscenarios: ${names().join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const k6 = provideGoProgram('k6', K6);
  ensureSetup();
  const { passed, failed } = await runAll(k6, isSmoke ? names() : [name], { rest, isSmoke });
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

try {
  await main();
} catch (error) {
  const isSkipped = error instanceof MissingTool && process.argv.includes('--smoke');
  console.error(isSkipped ? `skipped: ${error.message}` : `carillon: ${error.message}`);
  console.log(isSkipped ? '0 passed, 0 failed' : '0 passed, 1 failed');
  process.exitCode = isSkipped ? 0 : 1;
}
