import { randomBytes } from 'node:crypto';
import { startNats, startNatsCluster, type TestNats } from '@carillon/dev-tools/test-nats';

import { freePort } from '../../harness/free-port.ts';
import { BASE_CONFIG, mergeConfig } from '../../harness/standalone.ts';
import { startProcess, type Config, type ServerProcess, type ServiceCommand } from '../../harness/start-process.ts';
import { FaultProxy } from './fault-proxy.ts';
import { RouteFaults } from './route-faults.ts';

/** One service at a fixed port, with a link to NATS of its own that can be broken. */
export class ChaosNode {
  readonly command: ServiceCommand;
  readonly port: number;
  readonly #proxy: FaultProxy | undefined;
  #config: Config;
  #process: ServerProcess | undefined = undefined;
  /** What processes that are gone had to say. */
  #past = '';

  constructor(options: { command: ServiceCommand; port: number; proxy?: FaultProxy | undefined; config: Config }) {
    this.command = options.command;
    this.port = options.port;
    this.#proxy = options.proxy;
    this.#config = options.config;
  }

  get name(): string {
    return `${this.command}:${this.port}`;
  }

  get process(): ServerProcess {
    if (this.#process === undefined) throw new Error(`${this.name} is not running`);
    return this.#process;
  }

  /** Its link to NATS. */
  get proxy(): FaultProxy {
    if (this.#proxy === undefined) throw new Error(`${this.name} has no proxy before NATS`);
    return this.#proxy;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  async start(): Promise<void> {
    this.#process = await startProcess({ command: this.command, config: this.#config, port: this.port });
  }

  /** What it is to start with next time, over what it has. */
  configure(extra: Config): void {
    this.#config = mergeConfig(this.#config, extra);
  }

  async kill(): Promise<void> {
    const { process } = this;
    this.#process = undefined;
    await process.kill();
    this.#past += process.output();
  }

  output(): string {
    return this.#past + (this.#process?.output() ?? '');
  }

  async stop(): Promise<void> {
    this.#process?.signal('SIGCONT');
    await this.#process?.kill();
    await this.#proxy?.stop();
  }
}

export interface ChaosCluster {
  readonly servers: readonly TestNats[];
  /** First token of all names in NATS. */
  readonly prefix: string;
  readonly gateways: readonly ChaosNode[];
  readonly apis: readonly ChaosNode[];
  /** Between the servers; undefined where there is one. */
  readonly routes?: RouteFaults | undefined;
  stop(): Promise<void>;
}

/** Two gateways and two api instances on one NATS server, each behind a fault proxy. */
export async function startChaosCluster(config: Config): Promise<ChaosCluster> {
  const nats = await startNats({ exclusive: true });
  const linkOf = async (): Promise<Link> => {
    const proxy = await FaultProxy.start(nats.port);
    return { proxy, url: proxy.url };
  };
  return startNodes({ servers: [nats], config, linkOf, stopNats: () => nats.stop() });
}

/** Two gateways and two api instances on three NATS servers with three replicas of everything. */
export async function startReplicatedCluster(config: Config): Promise<ChaosCluster> {
  const routes = new RouteFaults();
  const nats = await startNatsCluster(3, routes.via);
  const replicated = mergeConfig(config, { nats: { replicas: 3 } });
  const cluster = await startNodes({
    servers: nats.servers,
    config: replicated,
    linkOf: () => ({ url: nats.urls }),
    stopNats: async () => {
      await nats.stop();
      await routes.stop();
    },
  });
  return { ...cluster, routes };
}

interface Link {
  readonly url: string | readonly string[];
  readonly proxy?: FaultProxy | undefined;
}

interface Plan {
  readonly servers: readonly TestNats[];
  readonly config: Config;
  readonly linkOf: () => Link | Promise<Link>;
  readonly stopNats: () => Promise<void>;
}

async function startNodes({ servers, config, linkOf, stopNats }: Plan): Promise<ChaosCluster> {
  const prefix = `c${randomBytes(5).toString('hex')}`;
  const nodes: ChaosNode[] = [];
  for (const command of ['gateway', 'gateway', 'api', 'api'] as const) {
    const { proxy, url } = await linkOf();
    const own = mergeConfig(mergeConfig(BASE_CONFIG, config), { nats: { url, prefix } });
    nodes.push(new ChaosNode({ command, port: await freePort(), proxy, config: own }));
  }
  const stop = async (): Promise<void> => {
    for (const server of servers) server.resume();
    await Promise.all(nodes.map((node) => node.stop()));
    await stopNats();
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const of = (command: ServiceCommand): ChaosNode[] => nodes.filter((node) => node.command === command);
  return { servers, prefix, gateways: of('gateway'), apis: of('api'), stop };
}
