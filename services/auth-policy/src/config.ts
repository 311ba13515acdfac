import type { Config } from '@carillon/config';

/** What this service reads of the configuration, proxies aside. */
export interface AuthPolicyServiceConfig {
  /** Of the internal gRPC service. */
  readonly port: number;
  /** Questions of one gateway being answered at a time. */
  readonly maxInFlightPerCaller: number;
  readonly ops: {
    readonly port: number;
    readonly address: string | undefined;
    readonly healthPath: string;
    readonly metricsPath: string;
  };
}

const DEFAULT_MAX_IN_FLIGHT = 16_384;

export function authPolicyConfig(config: Config): AuthPolicyServiceConfig {
  const { authPolicy, httpServer, health, prometheus } = config;
  const internal = httpServer.internalPort !== 0;
  const address = internal ? httpServer.internalAddress : httpServer.address;
  return {
    port: authPolicy.port,
    maxInFlightPerCaller: authPolicy.maxInFlight === 0 ? DEFAULT_MAX_IN_FLIGHT : authPolicy.maxInFlight,
    ops: {
      port: internal ? httpServer.internalPort : httpServer.port,
      address: address === '' ? undefined : address,
      healthPath: pathOf(health.handlerPrefix, '/health'),
      metricsPath: pathOf(prometheus.handlerPrefix, '/metrics'),
    },
  };
}

function pathOf(configured: string, fallback: string): string {
  return configured === '' ? fallback : configured;
}
