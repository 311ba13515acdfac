import { randomBytes } from 'node:crypto';
import { startNats, type StartNatsOptions, type TestNats } from '@carillon/dev-tools/test-nats';

import { deploymentOf, type Deployment } from './deployment.ts';
import { freePort } from './free-port.ts';
import { BASE_CONFIG, mergeConfig } from './standalone.ts';
import { startProcess, type Config, type ServerProcess, type ServiceCommand } from './start-process.ts';

export interface StartClusterOptions {
  readonly config?: Config | undefined;
  /** Of every process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default: 2. */
  readonly gateways?: number | undefined;
  /** Default: 2. */
  readonly apis?: number | undefined;
  /** Default: 1. With 0 the gateways decide themselves. */
  readonly authPolicies?: number | undefined;
  /** Default: one of its own, stopped with the cluster. Clusters can share a server. */
  readonly nats?: TestNats | undefined;
  readonly natsOptions?: StartNatsOptions | undefined;
  /** Of all subjects and streams: that of an older cluster takes its place. Default: a new one. */
  readonly prefix?: string | undefined;
}

/** A cluster as separate processes on a real NATS server, under subjects of its own. */
export async function startCluster(options: StartClusterOptions = {}): Promise<Deployment> {
  const { gateways = 2, apis = 2, authPolicies = 1 } = options;
  const nats = options.nats ?? (await startNats(options.natsOptions));
  const policyPorts = await ports(authPolicies);
  const config = mergeConfig(mergeConfig(BASE_CONFIG, options.config ?? {}), {
    nats: { url: nats.url, prefix: options.prefix ?? `t${randomBytes(5).toString('hex')}` },
    ...(authPolicies > 0 ? { auth_policy: { address: policyPorts.map((port) => `127.0.0.1:${port}`) } } : {}),
  });
  const started: ServerProcess[] = [];
  const start = async (command: ServiceCommand, env: Record<string, string> = {}): Promise<ServerProcess> => {
    const server = await startProcess({ command, config, env: { ...options.env, ...env } });
    started.push(server);
    return server;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()));
    if (options.nats === undefined) await nats.stop();
  };
  const parts = await Promise.allSettled([
    Promise.all(policyPorts.map((port) => start('auth-policy', { CARILLON_AUTH_POLICY_PORT: String(port) }))),
    Promise.all(Array.from({ length: gateways }, () => start('gateway'))),
    Promise.all(Array.from({ length: apis }, () => start('api'))),
  ]);
  const failed = parts.find((part) => part.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const [policyProcesses, gatewayProcesses, apiProcesses] = parts.map((part) =>
    part.status === 'fulfilled' ? part.value : [],
  );
  const deployment = deploymentOf({
    kind: 'cluster',
    authPolicies: policyProcesses ?? [],
    gateways: gatewayProcesses ?? [],
    apis: apiProcesses ?? [],
    nats,
    stop,
  });
  return deployment;
}

async function ports(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let index = 0; index < count; index += 1) found.push(await freePort());
  return found;
}
