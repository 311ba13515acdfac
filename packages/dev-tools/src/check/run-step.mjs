import { spawn } from 'node:child_process';

import { ROOT, carillonNode, commandScript } from '../workspace.mjs';

/** A step of a check: settles with `{ ok, output }`, never rejects. */
export function runCommand(packageName, command, args) {
  return new Promise((resolve) => {
    const child = spawn(carillonNode(), [commandScript(packageName, command), ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) },
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString().trim() }));
  });
}

/** The same for a check in this process that gives one line for each problem. */
export function runRule(rule, files) {
  const problems = rule(files);
  return Promise.resolve({ ok: problems.length === 0, output: problems.join('\n') });
}

/** Runs a step, prints one line with its time, and what it said if it failed. True if it passed. */
export async function report(name, step) {
  const startedAt = performance.now();
  const { ok, output } = await step();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${seconds.padStart(5)} s`);
  if (!ok) console.log(output.replaceAll(/^/gm, '     '));
  return ok;
}
