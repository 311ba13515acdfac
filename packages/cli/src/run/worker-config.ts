import { availableParallelism } from 'node:os';
import type { Config } from '@carillon/config';
import { nodeName } from './process-runtime.ts';

/** Tells a process which worker of a supervisor it is, from 1. Not an option: set by the supervisor alone. */
export const WORKER_VARIABLE = 'INTERNAL_CARILLON_WORKER';

/** `gateway.workers` as a number: `auto` is one per core. */
export function workerCount({ gateway }: Config): number {
  return gateway.workers === 0 ? availableParallelism() : gateway.workers;
}

/** 0: this process is no worker. */
export function workerIndex(env: Readonly<Record<string, string | undefined>>): number {
  return Number(env[WORKER_VARIABLE] ?? 0);
}

/** For a process that holds clients alone. */
export function singleProcessConfig(config: Config): Config {
  return { ...config, gateway: { ...config.gateway, workers: 1 } };
}

/**
 * The configuration of one worker: a node with a name of its own. All share the main port; the port for health and metrics
 * is `http_server.internal_port` for the first worker, one more for each other. gRPC can't share a port: the first has it.
 */
export function workerConfig(config: Config, index: number): Config {
  const { httpServer, grpcApi, uniGrpc } = config;
  const isFirst = index === 1;
  return {
    ...config,
    node: { ...config.node, name: `${nodeName(config)}-${index}` },
    httpServer: {
      ...httpServer,
      internalPort: httpServer.internalPort === 0 ? 0 : httpServer.internalPort + index - 1,
    },
    grpcApi: { ...grpcApi, enabled: grpcApi.enabled && isFirst },
    uniGrpc: { ...uniGrpc, enabled: uniGrpc.enabled && isFirst },
    gateway: { ...config.gateway, workers: workerCount(config) },
    pidFile: '',
  };
}
