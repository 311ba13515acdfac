import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import { ROOT, carillonNode } from '../harness/checkout.ts';

export interface Run {
  readonly code: number | string;
  readonly output: string;
}

const DEADLINE_MS = 30_000;

/** Runs lines of shell in the checkout, as a reader would paste them. */
export async function runShell(text: string): Promise<Run> {
  const child = spawn('sh', ['-e', '-c', text], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.resume();
  const force = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  const code = await exitOf(child);
  clearTimeout(force);
  return { code, output };
}

export interface RunningProgram {
  output(): string;
  stop(): Promise<void>;
}

/** Runs a program out of blocks; it resolves packages as a file in `test` does. */
export function startProgram(text: string): RunningProgram {
  const child = spawn(carillonNode(), ['--input-type=module', '-'], {
    cwd: join(ROOT, 'test'),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = exitOf(child);
  child.stdin.end(text);
  return {
    output: () => output,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}
