import type { ProxyConfig } from '@carillon/config';
import { OperationalError, type Clock, type Log } from '@carillon/service-kit';

import type { Tracing } from '@carillon/service-kit/tracing';
import type { Backend, ProxyKind } from '../backend/backend.ts';
import { createGrpcBackend } from '../backend/grpc-backend.ts';
import { createGuardedBackend, type BackendLimits, type GuardedBackend } from '../backend/guarded-backend.ts';
import { createHttpBackend, MAX_CONNECTIONS_PER_HOST } from '../backend/http-backend.ts';
import { createTracedBackend } from '../backend/traced-backend.ts';
import type { PolicyMetrics } from '../metrics.ts';
import { isHttpEndpoint } from './endpoint-scheme.ts';
import type { ProxySettings } from './proxy-settings.ts';

/** One endpoint with the options that shape its questions. */
export interface ProxyEndpoint {
  readonly options: ProxyConfig;
  readonly backend: GuardedBackend;
}

export interface ProxyRegistry {
  /** `default` is the endpoint of the kind's own; any other name an entry of `proxies`. Undefined: there is none. */
  find(kind: ProxyKind, name: string): ProxyEndpoint | undefined;
  /** The longest time-out of any endpoint: after it, nothing that was found here is still being asked. */
  readonly maxTimeoutMs: number;
  close(): Promise<void>;
}

export interface ProxyRegistryOptions {
  readonly settings: ProxySettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: PolicyMetrics;
  /** Undefined: no traces. */
  readonly tracing?: Tracing | undefined;
  readonly limits?: Partial<BackendLimits> | undefined;
}

const DEFAULT_LIMITS: BackendLimits = {
  maxInFlight: MAX_CONNECTIONS_PER_HOST,
  /** Each is in a mass reconnect once: the time-out bounds their wait, this their memory. */
  maxWaiting: 16_384,
  failureThreshold: 20,
  openMs: 500,
};

/**
 * Opens every configured endpoint; connections are made when they are needed. The configuration has been checked when it
 * was loaded (proxy.md §2.2); what cannot even be opened throws the `OperationalError` `proxy_config`.
 */
export function createProxyRegistry(options: ProxyRegistryOptions): ProxyRegistry {
  const { client, channel, rpc, proxies } = options.settings;
  const ownEndpoints: Readonly<Record<ProxyKind, ProxyConfig>> = {
    connect: client.connect,
    refresh: client.refresh,
    subscribe: channel.proxy.subscribe,
    subscribe_stream: channel.proxy.subscribeStream,
    publish: channel.proxy.publish,
    sub_refresh: channel.proxy.subRefresh,
    rpc: rpc.proxy,
    map_publish: channel.proxy.mapPublish,
    map_remove: channel.proxy.mapRemove,
  };
  const defaults = new Map<string, ProxyEndpoint>();
  for (const [kind, proxy] of Object.entries(ownEndpoints)) {
    if (proxy.endpoint !== '') defaults.set(kind, open(options, proxy, `default ${kind}`));
  }
  const named = new Map(proxies.map((proxy) => [proxy.name, open(options, proxy, proxy.name)]));

  const endpoints = [...defaults.values(), ...named.values()];
  return {
    maxTimeoutMs: Math.max(0, ...endpoints.map((endpoint) => endpoint.options.timeoutMs)),
    find: (kind, name) => (name === 'default' || name === '' ? defaults.get(kind) : named.get(name)),
    async close() {
      await Promise.all(endpoints.map(({ backend }) => backend.close()));
    },
  };
}

function open(options: ProxyRegistryOptions, proxy: ProxyConfig, name: string): ProxyEndpoint {
  const { clock, log, metrics, tracing, limits } = options;
  const guarded = createGuardedBackend({
    endpointName: name,
    proxyName: name.startsWith('default ') ? 'default' : name,
    backend: createBackend(proxy, name, clock),
    timeoutMs: proxy.timeoutMs,
    limits: { ...DEFAULT_LIMITS, ...limits },
    clock,
    log,
    metrics,
  });
  const backend =
    tracing === undefined ? guarded : createTracedBackend({ backend: guarded, tracing, endpointName: name });
  return { options: proxy, backend };
}

function createBackend(proxy: ProxyConfig, name: string, clock: Clock): Backend {
  const { endpoint, timeoutMs } = proxy;
  if (endpoint === '') throw unusable(name, 'no endpoint');
  if (timeoutMs <= 0) throw unusable(name, 'no timeout');
  if (!isHttpEndpoint(endpoint)) return createGrpcBackend(proxy, clock);
  if (!URL.canParse(endpoint)) throw unusable(name, 'the endpoint is no URL');
  return createHttpBackend(proxy);
}

function unusable(name: string, reason: string): OperationalError {
  return new OperationalError('proxy_config', `proxy ${name}: ${reason}`, { retriable: false });
}
