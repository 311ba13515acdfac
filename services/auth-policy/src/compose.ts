import type { Config } from '@carillon/config';
import type { DecisionService } from '@carillon/policy';
import { Health, OpsServer, type Clock, type Log, type Metrics } from '@carillon/service-kit';

import type { Tracing } from '@carillon/service-kit/tracing';
import { authPolicyConfig } from './config.ts';
import { createDecisionMaker } from './decision/decision-maker.ts';
import { PolicyServer } from './grpc/grpc-server.ts';
import { createPolicyMetrics } from './metrics.ts';
import { createProxyRegistry, type ProxyRegistry } from './proxy/proxy-registry.ts';
import { proxySettings } from './proxy/proxy-settings.ts';
import { createReplaceableRegistry } from './proxy/replaceable-registry.ts';

export interface ComposeAuthPolicyOptions {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Undefined: no traces. */
  readonly tracing?: Tracing | undefined;
}

export interface AuthPolicy {
  /** For a process that holds a gateway too: the same decisions without a hop. Usable before and without `start`. */
  readonly decisions: DecisionService;
  /** Opens the internal gRPC service and the operations endpoints; gives their ports. Rejects if a port cannot be had. */
  start(): Promise<{ readonly grpcPort: number; readonly opsPort: number }>;
  /** Takes the proxies of another configuration; ports stay. Throws as composing does, and then changes nothing. */
  reload(config: Config): void;
  /** Not ready any more; callers are sent elsewhere and what they asked is answered, until the signal aborts. */
  drain(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Wires the service. Throws the `OperationalError` `proxy_config` for proxies that cannot work. */
export function composeAuthPolicy(options: ComposeAuthPolicyOptions): AuthPolicy {
  const { config, log, clock, metrics, tracing } = options;
  const { port, maxInFlightPerCaller, ops } = authPolicyConfig(config);
  const policyMetrics = createPolicyMetrics(metrics);
  const openRegistry = (settings: Config): ProxyRegistry =>
    createProxyRegistry({ settings: proxySettings(settings), clock, log, metrics: policyMetrics, tracing });
  const registry = createReplaceableRegistry(openRegistry(config), clock);
  const decisions = createDecisionMaker({ registry, log });
  const server = new PolicyServer({ decisions, port, maxInFlightPerCaller, log, metrics: policyMetrics });
  const health = new Health();
  let unreadiness: string | undefined = 'starting';
  health.add('auth-policy', () => unreadiness);
  const opsServer = new OpsServer({ health, metrics, log, clock, ...ops });

  return {
    decisions,
    async start() {
      const grpcPort = await server.start();
      const opsPort = await opsServer.start();
      unreadiness = undefined;
      log.info('auth-policy is listening', { grpcPort, opsPort });
      return { grpcPort, opsPort };
    },
    reload: (next) => registry.replace(openRegistry(next)),
    async drain(signal) {
      unreadiness = 'draining';
      await server.drain(signal);
    },
    async close() {
      await server.close();
      await opsServer.stop();
      await decisions.close();
    },
  };
}
