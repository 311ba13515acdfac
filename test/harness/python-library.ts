import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { ROOT } from './checkout.ts';
import { within } from './eventually.ts';

const CACHE = join(ROOT, 'node_modules/.cache/carillon');
const INSTALL_TIMEOUT_MS = 180_000;
const ANSWER_DEADLINE_MS = 20_000;

/** The first command that is Python 3 with pip. Throws saying what to do when there is none. */
async function findPython(): Promise<string> {
  for (const command of ['python3', 'python']) {
    const found = await run(command, ['-m', 'pip', '--version']).catch(() => undefined);
    if (found !== undefined) return command;
  }
  throw new Error('this test runs the official Python library: install Python 3.10 or later with pip');
}

/** Installs a package from PyPI once per checkout; gives the folder to import it from. */
export async function installPythonPackage(name: string, version: string): Promise<{ python: string; path: string }> {
  const python = await findPython();
  const path = join(CACHE, `python-${name}-${version.replaceAll('*', 'x')}`);
  if (existsSync(path)) return { python, path };
  mkdirSync(CACHE, { recursive: true });
  const half = mkdtempSync(join(CACHE, 'python-'));
  try {
    await run(python, ['-m', 'pip', 'install', '--quiet', '--target', half, `${name}==${version}`]);
    // In one step, so that a test that runs at the same time never sees half of it.
    if (!existsSync(path)) renameSync(half, path);
  } catch (cause) {
    throw new Error(`pip can not install ${name}==${version}: is there a package index within reach?`, { cause });
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
  return { python, path };
}

export interface LineProcess {
  /** Sends one line of JSON and gives the line that answers it. One at a time. */
  ask(message: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** A Python script that answers lines with lines. */
export function startPythonScript(
  { python, path }: { readonly python: string; readonly path: string },
  script: string,
  args: readonly string[],
): LineProcess {
  const env = { ...process.env, PYTHONPATH: path, PYTHONUNBUFFERED: '1' };
  const child: ChildProcess = spawn(python, [script, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null) throw new Error('the script has no pipes');
  let errors = '';
  stderr?.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4_000)));
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    async ask(message) {
      stdin.write(`${JSON.stringify(message)}\n`);
      const { value, done } = await within(lines.next(), ANSWER_DEADLINE_MS, 'an answer of the script');
      if (done === true) throw new Error(`the script ended: ${errors}`);
      return JSON.parse(value);
    },
    async stop() {
      stdin.end();
      const force = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(force);
    },
  };
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { timeout: INSTALL_TIMEOUT_MS });
  return stdout;
}
