import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface NatsProcessOptions {
  readonly binary: string;
  readonly name: string;
  /** Holds configuration, store and log of the server; must exist. */
  readonly dir: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly jetstream: boolean;
  /** Syncs each write to disk, as production does. */
  readonly syncAlways: boolean;
  readonly cluster?:
    | {
        readonly name: string;
        readonly port: number;
        /** Of all servers. */
        readonly routePorts: readonly number[];
        /** Where the others are to be reached, if not at their own ports; nobody is told of those then. */
        readonly dialPorts?: readonly number[] | undefined;
      }
    | undefined;
  /** More lines for the configuration file. */
  readonly extraConfig?: string | undefined;
}

const READY_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;
const POLL_MS = 20;
const PROBE_TIMEOUT_MS = 1_000;
const LOG_TAIL_CHARS = 2_000;

const running: Set<ChildProcess> = new Set();
// A worker that ends while a test still owns a server must not leave the server behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** One nats-server as a process of its own. Keeps its ports and its store over kills and restarts. */
export class NatsProcess {
  readonly options: NatsProcessOptions;
  #child: ChildProcess | undefined = undefined;

  constructor(options: NatsProcessOptions) {
    this.options = options;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.options.port}`;
  }

  get monitorUrl(): string {
    return `http://127.0.0.1:${this.options.monitorPort}`;
  }

  /** Of the running process; throws while none runs. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.options.name} is not running`);
    return pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Starts the process; it is ready only after `waitReady`. */
  async spawn(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.options.name} is running already`);
    const { binary, dir } = this.options;
    await mkdir(join(dir, 'store'), { recursive: true });
    await writeFile(join(dir, 'nats.conf'), configText(this.options));
    const log = openSync(join(dir, 'nats.log'), 'a');
    const child = spawn(binary, ['-c', join(dir, 'nats.conf')], { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    running.add(child);
    const forget = (): void => {
      running.delete(child);
      if (this.#child === child) this.#child = undefined;
    };
    child.once('exit', forget);
    child.once('error', forget);
  }

  /** Waits until the server, its JetStream and (in a cluster) the elected leader of JetStream answer. */
  async waitReady(deadlineMs: number = READY_DEADLINE_MS): Promise<void> {
    const giveUpAt = performance.now() + deadlineMs;
    while (!(await this.#isReady())) {
      if (this.#child === undefined) throw new Error(`${this.options.name} ended while starting:\n${this.#logTail()}`);
      if (performance.now() > giveUpAt)
        throw new Error(`${this.options.name} was not ready in time:\n${this.#logTail()}`);
      await sleep(POLL_MS);
    }
  }

  /** Ends the process in order, with force if it takes too long. The store stays. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Ends the process as a power cut would. The store stays. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops the process if it runs, and starts it again on the same ports and store. */
  async restart(): Promise<void> {
    await this.stop();
    await this.spawn();
    await this.waitReady();
  }

  /** Freezes the process (SIGSTOP) so that its connections stay open and silent, until `resume`. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
    });
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(force);
  }

  async #isReady(): Promise<boolean> {
    if ((await this.#probe('/healthz')) === undefined) return false;
    const { cluster, jetstream } = this.options;
    if (cluster === undefined || !jetstream) return true;
    const state = await this.#probe('/jsz');
    const meta =
      typeof state === 'object' && state !== null && 'meta_cluster' in state ? state.meta_cluster : undefined;
    if (typeof meta !== 'object' || meta === null) return false;
    const hasLeader = 'leader' in meta && typeof meta.leader === 'string' && meta.leader !== '';
    return hasLeader && 'cluster_size' in meta && meta.cluster_size === cluster.routePorts.length;
  }

  async #probe(path: string): Promise<unknown> {
    try {
      const response = await fetch(this.monitorUrl + path, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
      return response.ok ? await response.json() : undefined;
    } catch {
      // Not listening yet: the caller asks again until its deadline.
      return undefined;
    }
  }

  #logTail(): string {
    return readFileSync(join(this.options.dir, 'nats.log'), 'utf8').slice(-LOG_TAIL_CHARS);
  }
}

function configText({
  name,
  dir,
  port,
  monitorPort,
  jetstream,
  syncAlways,
  cluster,
  extraConfig,
}: NatsProcessOptions): string {
  const lines = [`server_name: ${name}`, `listen: "127.0.0.1:${port}"`, `http: "127.0.0.1:${monitorPort}"`];
  if (jetstream) {
    const sync = syncAlways ? ', sync_interval: always' : '';
    lines.push(`jetstream { store_dir: ${JSON.stringify(join(dir, 'store'))}, max_mem: 1G, max_file: 10G${sync} }`);
  }
  if (cluster !== undefined) {
    const { dialPorts = cluster.routePorts } = cluster;
    const routes = dialPorts.map((route) => `"nats://127.0.0.1:${route}"`).join(', ');
    // Servers tell each other of routes: this one leads nowhere, so that they keep to those that they are given.
    const secrecy = cluster.dialPorts === undefined ? '' : ', advertise: "127.0.0.1:1"';
    lines.push(`cluster { name: ${cluster.name}, listen: "127.0.0.1:${cluster.port}", routes: [${routes}]${secrecy} }`);
  }
  return `${[...lines, extraConfig ?? ''].join('\n')}\n`;
}
