import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findNatsServer } from './nats/find-nats-server.ts';
import { freePorts } from './nats/free-port.ts';
import { NatsProcess } from './nats/nats-process.ts';

/** A NATS server for a test, which stops it. */
export interface TestNats {
  readonly url: string;
  readonly port: number;
  /** Of the HTTP monitoring endpoints; empty for a shared server. */
  readonly monitorUrl: string;
  /** Throws while the server is not running. */
  readonly pid: number;
  readonly isRunning: boolean;
  /** Ends the server and deletes its store, unless the test gave the folder. */
  stop(): Promise<void>;
  /** Ends the server as a power cut would; its store stays for `restart`. */
  kill9(): Promise<void>;
  /** Starts it again (after stopping it, if it runs) on the same port and store; settles when it is ready. */
  restart(): Promise<void>;
  /** Freezes the process so that its connections stay open and silent, until `resume`. */
  pause(): void;
  resume(): void;
}

export interface StartNatsOptions {
  /** Default: true. */
  readonly jetstream?: boolean | undefined;
  /** Keeps the store; the caller deletes it. Default: a temporary folder. */
  readonly dir?: string | undefined;
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** The test kills, restarts or fills the server: never the shared one of TEST_NATS_URL. Default: false. */
  readonly exclusive?: boolean | undefined;
  /** Sync each write to disk. Default: false. */
  readonly syncAlways?: boolean | undefined;
  /** More lines for the server's configuration file. */
  readonly extraConfig?: string | undefined;
}

/** Gives the port where server `from` is to reach the route port of server `to`. */
export type RouteVia = (from: number, to: number, routePort: number) => Promise<number>;

export interface TestNatsCluster {
  readonly servers: readonly TestNats[];
  /** The URLs of all servers. */
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

const START_ATTEMPTS = 3;

/**
 * Starts a real NATS server with JetStream on a free port. With TEST_NATS_URL set, gives that one instead, unless
 * `exclusive`: tests share it, so they must use names of their own.
 */
export async function startNats(options: StartNatsOptions = {}): Promise<TestNats> {
  const sharedUrl = process.env['TEST_NATS_URL'];
  const isOrdinary = options.exclusive !== true && options.dir === undefined && options.port === undefined;
  if (sharedUrl !== undefined && sharedUrl !== '' && isOrdinary) return sharedNats(sharedUrl);
  const binary = findNatsServer();
  return withAttempts(async () => {
    const dir = options.dir ?? (await temporaryDir());
    const [freePort = 0, monitorPort = 0] = await freePorts(2);
    await mkdir(dir, { recursive: true });
    const server = new NatsProcess({
      binary,
      name: 'test',
      dir,
      port: options.port ?? freePort,
      monitorPort,
      jetstream: options.jetstream ?? true,
      syncAlways: options.syncAlways ?? false,
      extraConfig: options.extraConfig,
    });
    const cleanUp = (): Promise<void> => (options.dir === undefined ? removeDir(dir) : Promise.resolve());
    await start([server], cleanUp);
    return ownNats(server, cleanUp);
  });
}

/**
 * Starts a cluster for streams with replicas: routes between all servers, each write synced as in production. With
 * `routeVia` something may stand between them.
 */
export async function startNatsCluster(size = 3, routeVia?: RouteVia): Promise<TestNatsCluster> {
  const binary = findNatsServer();
  return withAttempts(async () => {
    const dir = await temporaryDir();
    const ports = await freePorts(3 * size);
    const routePorts = ports.slice(2 * size);
    const processes: NatsProcess[] = [];
    for (const [index, port] of routePorts.entries()) {
      const serverDir = join(dir, `n${index}`);
      await mkdir(serverDir);
      const options = { binary, name: `n${index}`, dir: serverDir, jetstream: true, syncAlways: true };
      const cluster = { name: 'test', port, routePorts, dialPorts: await dialPortsOf(index, routePorts, routeVia) };
      processes.push(
        new NatsProcess({ ...options, port: ports[index] ?? 0, monitorPort: ports[size + index] ?? 0, cluster }),
      );
    }
    await start(processes, () => removeDir(dir));
    const servers = processes.map((server) => ownNats(server, () => Promise.resolve()));
    return {
      servers,
      urls: servers.map(({ url }) => url),
      stop: async () => {
        await Promise.all(processes.map((server) => server.stop()));
        await removeDir(dir);
      },
    };
  });
}

async function dialPortsOf(
  from: number,
  routePorts: readonly number[],
  routeVia: RouteVia | undefined,
): Promise<number[] | undefined> {
  if (routeVia === undefined) return undefined;
  const others = routePorts.map((port, to) => ({ port, to })).filter(({ to }) => to !== from);
  return Promise.all(others.map(({ port, to }) => routeVia(from, to, port)));
}

async function start(servers: readonly NatsProcess[], cleanUp: () => Promise<void>): Promise<void> {
  try {
    await Promise.all(servers.map((server) => server.spawn()));
    await Promise.all(servers.map((server) => server.waitReady()));
  } catch (error) {
    await Promise.all(servers.map((server) => server.kill9()));
    await cleanUp();
    throw error;
  }
}

function ownNats(server: NatsProcess, cleanUp: () => Promise<void>): TestNats {
  return {
    url: server.url,
    port: server.options.port,
    monitorUrl: server.monitorUrl,
    get pid() {
      return server.pid;
    },
    get isRunning() {
      return server.isRunning;
    },
    stop: async () => {
      await server.stop();
      await cleanUp();
    },
    kill9: () => server.kill9(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
  };
}

function sharedNats(url: string): TestNats {
  const refuse = (): never => {
    throw new Error('the server of TEST_NATS_URL is shared: start an `exclusive` one to kill, pause or restart it');
  };
  return {
    url,
    port: Number(new URL(url).port || '4222'),
    monitorUrl: '',
    get pid() {
      return refuse();
    },
    isRunning: true,
    stop: () => Promise.resolve(),
    kill9: refuse,
    restart: refuse,
    pause: refuse,
    resume: refuse,
  };
}

/** Another process may take a port between its choice and its use. */
async function withAttempts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const isPortTaken = error instanceof Error && error.message.includes('address already in use');
      if (attempt >= START_ATTEMPTS || !isPortTaken) throw error;
    }
  }
}

function temporaryDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'carillon-nats-'));
}

function removeDir(dir: string): Promise<void> {
  return rm(dir, { recursive: true, force: true, maxRetries: 5 });
}
