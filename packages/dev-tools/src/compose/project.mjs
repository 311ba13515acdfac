import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT } from '../workspace.mjs';

const UP_TIMEOUT_S = 600;
const POLL_MS = 100;

/** Let the engine choose: a port that is free now may be taken when a container starts. */
const ANY_PORTS = { CARILLON_PORT: '0', PROMETHEUS_PORT: '0', GRAFANA_PORT: '0' };

/** A composed cluster of its own, on free ports. `args` go before the command: profiles, files with variables. */
export function composeProject(name, args = []) {
  const compose = (...rest) => ['compose', '-p', name, ...args, ...rest];
  const options = { cwd: ROOT, env: { ...process.env, ...ANY_PORTS } };
  return {
    /** Starts what is missing and waits until everything is healthy. */
    async up(...rest) {
      const command = compose('up', '--wait', '--wait-timeout', String(UP_TIMEOUT_S), ...rest);
      const child = spawn('docker', command, { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
      const code = await new Promise((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('close', resolve);
      });
      if (code !== 0) throw new Error(`docker ${command.join(' ')} ended with ${code}`);
    },
    /** IDs of the running containers of a service. */
    containersOf: (service) =>
      docker(compose('ps', '-q', service), options)
        .split('\n')
        .filter(Boolean),
    /** The port of this machine that leads to the one of a service. */
    portOf: (service, port) =>
      docker(compose('port', service, String(port)), options)
        .trim()
        .split(':')
        .at(-1),
    killOne(service) {
      const [id] = this.containersOf(service);
      if (id === undefined) throw new Error(`no container of ${service}`);
      docker(['kill', id]);
    },
    showLogs() {
      spawnSync('docker', compose('ps', '-a'), { ...options, stdio: 'inherit' });
      spawnSync('docker', compose('logs', '--tail', '20'), { ...options, stdio: 'inherit' });
    },
    down() {
      const rest = ['down', '-v', '--remove-orphans', '--timeout', '5'];
      spawnSync('docker', compose(...rest), { ...options, stdio: 'ignore' });
    },
  };
}

/** The standard output of a docker command that must end well. */
export function docker(args, options = {}) {
  const { status, stdout, stderr } = spawnSync('docker', args, { cwd: ROOT, encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`docker ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Tries until `check` passes; after the deadline its last error is thrown. */
export async function eventually(check, deadlineMs) {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(POLL_MS);
  }
}
