import { composeApi } from '@carillon/api/compose';
import { composeAuthPolicy } from '@carillon/auth-policy/compose';
import { NO_RECEIVER, NO_SESSIONS } from '@carillon/cluster';
import type { Config } from '@carillon/config';
import { channelRules } from '@carillon/gateway/config';
import { composeGateway } from '@carillon/gateway/compose';
import { clusterEngine } from './engine.ts';
import type { ProcessRuntime } from './process-runtime.ts';
import type { RunningServices } from './running-services.ts';

/** `carillon gateway`: clients, on NATS; decisions by auth-policy where it has an address, else in this process. */
export async function runGateway(config: Config, runtime: ProcessRuntime): Promise<RunningServices> {
  const { log, clock, metrics, health, lifecycle, tracing } = runtime;
  const isRemote = config.authPolicy.address.length > 0;
  const policy = isRemote ? undefined : composeAuthPolicy({ config, log, clock, metrics, tracing });
  const gateway = await composeGateway({
    config,
    createEngine: clusterEngine(config, runtime),
    decisions: policy?.decisions,
    log,
    clock,
    metrics,
    health,
    tracing,
    opsEndpoints: 'always',
  });
  lifecycle.add({
    name: 'gateway',
    start: () => gateway.listen(),
    drain: (signal) => gateway.drain(signal),
    stop: async () => {
      await gateway.close();
      await policy?.close();
    },
  });
  return {
    async reload(next) {
      await gateway.reload(next);
      policy?.reload(next);
    },
    onReady() {},
  };
}

/** `carillon api`: the server API, on NATS. */
export async function runApi(config: Config, runtime: ProcessRuntime): Promise<RunningServices> {
  const { log, clock, metrics, health, lifecycle, tracing } = runtime;
  const engine = await clusterEngine(config, runtime)({ receiver: NO_RECEIVER, handler: NO_SESSIONS });
  health.add('nats', () => engine.unavailable());
  const channels = channelRules(config);
  const api = composeApi({ config, ...engine, channels, log, clock, metrics, health, tracing });
  lifecycle.add({ name: 'engine', stop: () => engine.close() });
  lifecycle.add({ name: 'api', start: () => api.listen(), drain: () => api.drain(), stop: () => api.close() });
  return {
    async reload(next) {
      await api.useCertificates(next);
      api.updateChannels(channelRules(next), next);
    },
    onReady() {},
  };
}

/** `carillon auth-policy`: asks the application backend. */
export async function runAuthPolicy(config: Config, runtime: ProcessRuntime): Promise<RunningServices> {
  const { log, clock, metrics, lifecycle, tracing } = runtime;
  const policy = composeAuthPolicy({ config, log, clock, metrics, tracing });
  lifecycle.add({
    name: 'auth-policy',
    start: () => policy.start(),
    drain: (signal) => policy.drain(signal),
    stop: () => policy.close(),
  });
  return { reload: (next) => policy.reload(next), onReady() {} };
}
