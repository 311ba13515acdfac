import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CommandIo } from './command-io.ts';

/** A terminal to run commands at: a fresh directory, a fixed time, and what was printed. */
export interface TestTerminal {
  readonly io: CommandIo;
  readonly directory: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Makes the serving command stop. */
  readonly interrupt: () => void;
}

export const NOW_MS: number = Date.UTC(2030, 0, 1);

/** Opens a terminal in a new directory that holds these files, until the test ends. */
export function openTerminal(files: Readonly<Record<string, string>> = {}, env: CommandIo['env'] = {}): TestTerminal {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-cli-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const printed = { out: '', err: '' };
  const stop = new AbortController();
  const io: CommandIo = {
    stdout: { write: (text) => (printed.out += text) },
    stderr: { write: (text) => (printed.err += text) },
    env,
    cwd: directory,
    now: () => NOW_MS,
    stop: stop.signal,
  };
  return {
    io,
    directory,
    stdout: () => printed.out,
    stderr: () => printed.err,
    interrupt: () => stop.abort(),
  };
}
