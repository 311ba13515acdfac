// npm start: a whole Carillon in one process, in memory, with the development configuration.
// Arguments go to `carillon serve`: npm start -- --port 9000
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';

import { ensureSetup } from './setup.mjs';
import { ROOT, carillonNode } from './workspace.mjs';

const SAME_SIGNAL_WINDOW_MS = 500;

function serveArguments(passedOn) {
  const hasConfig = passedOn.some((argument) => /^(--config|-c)(=|$)/.test(argument));
  const config = hasConfig ? [] : ['--config', join(ROOT, 'deploy/dev/config.json')];
  return ['serve', ...config, '--dev', ...passedOn];
}

/**
 * Runs the server and ends as it ends. It gets a process group of its own: Ctrl-C reaches this process from the terminal
 * and once more from npm, and a second signal would make the server exit at once, without draining.
 */
function run() {
  const flags = ['--conditions=development', '--disable-warning=ExperimentalWarning'];
  const script = join(ROOT, 'packages/cli/bin/carillon.js');
  const child = spawn(carillonNode(), [...flags, script, ...serveArguments(process.argv.slice(2))], {
    stdio: 'inherit',
    detached: process.platform !== 'win32',
  });
  let lastSignalAt = -Infinity;
  const forward = (signal) => {
    const now = performance.now();
    if (now - lastSignalAt < SAME_SIGNAL_WINDOW_MS) return;
    lastSignalAt = now;
    child.kill(signal);
  };
  process.on('SIGINT', () => forward('SIGINT'));
  process.on('SIGTERM', () => forward('SIGTERM'));
  // The terminal is gone. To the server itself SIGHUP means: read the configuration again.
  process.on('SIGHUP', () => forward('SIGTERM'));
  child.on('error', (error) => fail(error));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

function fail(error) {
  console.error(`carillon: ${error.message}`);
  process.exitCode = 1;
}

try {
  ensureSetup();
  run();
} catch (error) {
  fail(error);
}
