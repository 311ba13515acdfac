import { spawn, type ChildProcess } from 'node:child_process';

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

/** Runs a program out of blocks; it resolves packages as a file in `test` does. Lines of shell may go before it. */
export function startProgram(text: string, shell = ''): RunningProgram {
  return start(`${shell}\ncd test\nexec ${carillonNode()} --input-type=module -`, text);
}

/** The same for a program that calls `require`, with the packages that those of the checkout need. */
export function startRequiringProgram(text: string): RunningProgram {
  return start(
    `export NODE_PATH=node_modules/.pnpm/node_modules\nexec ${carillonNode()} --input-type=commonjs -`,
    text,
  );
}

/** A Python program, with the packages in a folder. */
export function startPythonProgram(
  { python, path }: { readonly python: string; readonly path: string },
  { text, shell }: { readonly text: string; readonly shell: string },
): RunningProgram {
  return start(`${shell}\nexport PYTHONPATH=${path}\nexec ${python} -`, text);
}

/** Lines of shell that go on until they are stopped. */
export function startShell(text: string): RunningProgram {
  return start(text, '');
}

/** In a process group of its own, so that what it starts is stopped with it. */
function start(shell: string, stdin: string): RunningProgram {
  const child = spawn('sh', ['-e', '-c', shell], { cwd: ROOT, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let hasExited = false;
  const exited = exitOf(child).then(() => (hasExited = true));
  child.stdin.end(stdin);
  return {
    output: () => output,
    stop: async () => {
      if (child.pid !== undefined && !hasExited) process.kill(-child.pid, 'SIGKILL');
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
