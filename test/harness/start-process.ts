import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT, carillonNode } from './checkout.ts';
import { freePort } from './free-port.ts';

export type Config = Readonly<Record<string, unknown>>;
export type ServiceCommand = 'serve' | 'gateway' | 'api' | 'auth-policy';

export interface StartProcessOptions {
  readonly command: ServiceCommand;
  readonly config: Config;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** Do not wait until it is healthy. */
  readonly isUnawaited?: boolean | undefined;
}

/** One process of Carillon. The test that starts it stops it. */
export interface ServerProcess {
  readonly command: ServiceCommand;
  readonly port: number;
  /** Of its HTTP listener. */
  readonly url: string;
  readonly pid: number;
  /** Settles with the exit code (or the name of the signal) when the process has ended. */
  readonly exited: Promise<number | string>;
  /** What it wrote to stdout and stderr. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const HEALTH_POLL_MS = 40;
const PROBE_TIMEOUT_MS = 2_000;
const OUTPUT_LIMIT_CHARS = 200_000;
const START_ATTEMPTS = 3;

const CLI = join(ROOT, 'packages/cli/bin/carillon.js');
const NODE_FLAGS = ['--conditions=development', '--disable-warning=ExperimentalWarning'];

const running: Set<ChildProcess> = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `carillon <command>` on a free port and waits until it says that it is healthy. */
export async function startProcess(options: StartProcessOptions): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const server = launch(options, options.port ?? (await freePort()));
    if (options.isUnawaited === true) return server;
    try {
      await waitHealthy(server);
      return server;
    } catch (error) {
      await server.kill();
      const isPortTaken = /address already in use|EADDRINUSE|port .* taken/i.test(server.output());
      if (!isPortTaken || attempt >= START_ATTEMPTS) throw error;
    }
  }
}

/** Runs any `carillon` command to its end. */
export async function runCommand(
  args: readonly string[],
  { cwd, env, config }: { cwd?: string; env?: Readonly<Record<string, string>>; config?: Config | string } = {},
): Promise<{ code: number | string; output: string; stdout: string; stderr: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'carillon-run-'));
  const file = join(dir, 'config.json');
  if (config !== undefined) writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  const withConfig = config === undefined ? args : [...args, '--config', file];
  const child = spawn(carillonNode(), [...NODE_FLAGS, CLI, ...withConfig], { cwd: cwd ?? dir, env: cleanEnv(env) });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const force = setTimeout(() => child.kill('SIGKILL'), START_DEADLINE_MS);
  const code = await exitOf(child);
  clearTimeout(force);
  running.delete(child);
  rmSync(dir, { recursive: true, force: true });
  return { code, output: stdout + stderr, stdout, stderr };
}

function launch({ command, config, args = [], env }: StartProcessOptions, port: number): ServerProcess {
  const dir = mkdtempSync(join(tmpdir(), 'carillon-test-'));
  const file = join(dir, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const flags = [...NODE_FLAGS, CLI, command, '--config', file, '--port', String(port), ...args];
  const child = spawn(carillonNode(), flags, { cwd: dir, env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let text = '';
  const collect = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-OUTPUT_LIMIT_CHARS);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exited = exitOf(child).then((code) => {
    running.delete(child);
    rmSync(dir, { recursive: true, force: true });
    return code;
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(force);
  };
  return {
    command,
    port,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? -1,
    exited,
    output: () => text,
    signal: (name) => void child.kill(name),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

async function waitHealthy(server: ServerProcess): Promise<void> {
  const giveUpAt = performance.now() + START_DEADLINE_MS;
  const end = new AbortController();
  void server.exited.then(() => end.abort());
  let answer = 'no answer';
  while (!end.signal.aborted && performance.now() < giveUpAt) {
    answer = await probeHealth(server.url);
    if (answer.startsWith('200')) return;
    await sleep(HEALTH_POLL_MS);
  }
  const state = end.signal.aborted ? 'ended while starting' : `was not healthy in time (${answer})`;
  throw new Error(`carillon ${server.command} ${state}:\n${server.output().slice(-4_000)}`);
}

/** Status and body of /health, or why there is none. */
export async function probeHealth(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return String(error);
  }
}

function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}

/** The options of the developer's shell must not reach a server under test. */
function cleanEnv(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const isOurs = (name: string): boolean => /^(CARILLON|CENTRIFUGO|OTEL_|VITEST|NODE_OPTIONS)/.test(name);
  const kept = Object.entries(process.env).filter(([name]) => !isOurs(name));
  return { ...Object.fromEntries(kept), ...extra };
}
