// npm run load:smoke: every k6 scenario of test/load/k6 for a few seconds, against a server of its own or the one at URL.
// One of them in full: node packages/dev-tools/src/load.mjs fan-out -e VUS=50. Ends with `N passed, N failed`.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { provideGoProgram } from './k8s/provide-tools.mjs';
import { ensureSetup } from './setup.mjs';
import { CACHE_DIR, ROOT, carillonNode } from './workspace.mjs';

const K6 = 'go.k6.io/k6@v1.4.0';
const SCENARIOS = join(ROOT, 'test/load/k6');
const START_DEADLINE_MS = 60_000;
const RUN_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

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
  MAX_API_MS: '5000',
  MAX_CONNECT_MS: '10000',
};

function names() {
  const files = readdirSync(SCENARIOS).filter((file) => file.endsWith('.js'));
  return files.map((file) => file.slice(0, -'.js'.length)).toSorted();
}

/** A whole server in memory, with the configuration of the composed cluster. */
async function startServer() {
  const {
    nats: _nats,
    auth_policy: _policy,
    ...settings
  } = JSON.parse(readFileSync(join(ROOT, 'deploy/compose/carillon.json'), 'utf8'));
  const port = await freePort();
  const config = { ...settings, log: { level: 'warn' } };
  mkdirSync(CACHE_DIR, { recursive: true });
  const file = join(CACHE_DIR, `load-${process.pid}.json`);
  writeFileSync(file, JSON.stringify(config));
  const flags = ['--conditions=development', '--disable-warning=ExperimentalWarning'];
  const script = join(ROOT, 'packages/cli/bin/carillon.js');
  const args = [...flags, script, 'serve', '--config', file, '--port', String(port)];
  const server = spawn(carillonNode(), args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: ROOT });
  const url = `http://127.0.0.1:${port}`;
  const giveUpAt = performance.now() + START_DEADLINE_MS;
  while (!(await isHealthy(url))) {
    if (server.exitCode !== null || performance.now() > giveUpAt) throw new Error('the server did not start');
    await sleep(POLL_MS);
  }
  return { url, stop: () => server.kill('SIGTERM') };
}

async function isHealthy(url) {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(POLL_MS * 10) })).ok;
  } catch {
    return false;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function main() {
  const passedOn = process.argv.slice(2);
  const isSmoke = passedOn[0] === '--smoke';
  const [chosen, ...rest] = isSmoke ? [undefined, ...passedOn.slice(1)] : passedOn;
  if (!isSmoke && !names().includes(chosen)) {
    console.error(`usage: load.mjs --smoke | SCENARIO [k6 arguments]\nscenarios: ${names().join(', ')}`);
    process.exitCode = 2;
    return;
  }
  ensureSetup();
  const k6 = provideGoProgram('k6', K6);
  const { URL: given, API_URL: givenApi } = process.env;
  const server = given === undefined && givenApi === undefined ? await startServer() : undefined;
  let passed = 0;
  let failed = 0;
  try {
    for (const name of isSmoke ? names() : [chosen]) {
      const settings = {
        ...(server && { URL: server.url }),
        RUN: String(process.pid),
        ...(isSmoke && SMOKE),
        ...process.env,
      };
      const args = ['run', '--quiet', '--no-usage-report', '--address', '', ...rest, join(SCENARIOS, `${name}.js`)];
      const timeout = isSmoke ? RUN_TIMEOUT_MS : undefined;
      const { status } = spawnSync(k6, args, { stdio: 'inherit', env: settings, timeout });
      if (status === 0) passed += 1;
      else failed += 1;
      console.log(`${status === 0 ? 'ok' : 'FAIL'} ${name}`);
    }
  } finally {
    server?.stop();
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

try {
  await main();
} catch (error) {
  console.error(`carillon: ${error.message}`);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}
