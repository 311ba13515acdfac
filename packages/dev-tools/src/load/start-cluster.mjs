import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { provideNats } from '../nats/nats-server.mjs';
import { ROOT, carillonNode } from '../workspace.mjs';

const GATEWAYS = 2;
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const POLL_MS = 100;
const FLAGS = ['--conditions=development', '--disable-warning=ExperimentalWarning'];

/**
 * A cluster as processes of this machine, with the configuration of the composed one: a NATS server, two gateways that decide
 * themselves, an api. Gives what the scenarios read from the environment, and `stop`. Throws what did not start.
 */
export async function startCluster() {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-load-'));
  const servers = [];
  const services = [];
  const stop = async () => {
    // NATS goes last: the services take their leave there.
    await Promise.all(services.map((child) => end(child)));
    await Promise.all(servers.map((child) => end(child)));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const nats = await startNats(folder, servers);
    const config = writeConfig(folder, nats);
    const start = async (service) => {
      const port = await freePort();
      const script = join(ROOT, 'packages/cli/bin/carillon.js');
      const args = [...FLAGS, script, service, '--config', config, '--port', String(port)];
      const child = spawn(carillonNode(), args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: ROOT });
      services.push(child);
      const url = `http://127.0.0.1:${port}`;
      await waitUntil(() => isHealthy(url), child, service);
      return url;
    };
    // One after the other: each looks for a free port.
    const api = await start('api');
    const gateways = [];
    while (gateways.length < GATEWAYS) gateways.push(await start('gateway'));
    return { env: { API_URL: api, GATEWAY_URL: gateways.join(',') }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startNats(folder, servers) {
  const { env } = await provideNats({ say: (line) => console.log(`carillon: ${line}`) });
  if (env.TEST_NATS_URL !== undefined) return env.TEST_NATS_URL;
  const port = await freePort();
  const args = ['-js', '-a', '127.0.0.1', '-p', String(port), '-sd', join(folder, 'nats')];
  const child = spawn(env.CARILLON_TEST_NATS_SERVER, args, { stdio: 'ignore' });
  servers.push(child);
  // Services wait for it themselves.
  return `nats://127.0.0.1:${port}`;
}

function writeConfig(folder, url) {
  const text = readFileSync(join(ROOT, 'deploy/compose/carillon.json'), 'utf8');
  const { auth_policy: _remote, ...settings } = JSON.parse(text);
  const file = join(folder, 'carillon.json');
  const nats = { url, prefix: `load${process.pid}` };
  writeFileSync(file, JSON.stringify({ ...settings, nats, log: { level: 'warn' } }));
  return file;
}

async function waitUntil(isReady, child, name) {
  const giveUpAt = performance.now() + START_DEADLINE_MS;
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`carillon ${name} ended while starting`);
    if (performance.now() > giveUpAt) throw new Error(`carillon ${name} did not start in time`);
    await sleep(POLL_MS);
  }
}

async function isHealthy(url) {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(POLL_MS * 10) })).ok;
  } catch {
    return false;
  }
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
    child.kill('SIGTERM');
  });
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
