import type { Config } from '../config.ts';
import type { ChannelProxies } from '../option/channel.ts';
import type { ProxyConfig, StatusTransform } from '../option/proxy.ts';
import { checkNames, checkReason, type Complaints } from './rule.ts';

/** Rules for proxy objects and references to them (proxy.md 2.2, 5). */
export function* checkProxies(config: Config): Complaints {
  yield* checkNames(
    'proxies',
    config.proxies.map(({ name }) => name),
  );
  for (const [index, proxy] of config.proxies.entries()) {
    if (proxy.name === 'default') yield `proxies[${index}].name must not be "default"`;
    yield* checkEndpoint(`proxies[${index}]`, proxy);
    yield* checkTransforms(`proxies[${index}]`, proxy);
  }
  for (const event of ['connect', 'refresh'] as const) {
    const proxy = config.client.proxy[event];
    if (proxy.enabled) yield* checkEndpoint(`client.proxy.${event}`, proxy);
    yield* checkTransforms(`client.proxy.${event}`, proxy);
  }
  for (const [key, proxy] of defaultProxies(config.channel.proxy))
    yield* checkTransforms(`channel.proxy.${key}`, proxy);
  yield* checkTransforms('rpc.proxy', config.rpc.proxy);
  yield* checkRpc(config);
}

/** The default proxies of channel events under their file keys. */
export function defaultProxies(proxies: ChannelProxies): readonly (readonly [string, ProxyConfig])[] {
  return [
    ['subscribe', proxies.subscribe],
    ['publish', proxies.publish],
    ['sub_refresh', proxies.subRefresh],
    ['subscribe_stream', proxies.subscribeStream],
    ['map_publish', proxies.mapPublish],
    ['map_remove', proxies.mapRemove],
    ['shared_poll_refresh', proxies.sharedPollRefresh],
  ];
}

/** A use of a proxy by name. */
export interface ProxyReference {
  /** Path of the option that names it. */
  readonly path: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly fallback: ProxyConfig;
  /** Path of the default proxy. */
  readonly fallbackPath: string;
}

/** The name must be known, even while the switch is off; the default must have an endpoint once it is used. */
export function* checkReference(config: Config, reference: ProxyReference): Complaints {
  if (reference.name === 'default') {
    if (reference.enabled) yield* checkEndpoint(reference.fallbackPath, reference.fallback);
  } else if (!config.proxies.some(({ name }) => name === reference.name)) {
    yield `${reference.path} names ${JSON.stringify(reference.name)}, which is no entry of proxies`;
  }
}

/** Whether an endpoint is reached over HTTP rather than GRPC. */
export function isHttpEndpoint(endpoint: string): boolean {
  return /^https?:\/\//.test(endpoint);
}

function* checkRpc(config: Config): Complaints {
  yield* checkNames(
    'rpc.namespaces',
    config.rpc.namespaces.map(({ name }) => name),
  );
  const groups = [
    ['rpc.without_namespace', config.rpc.withoutNamespace] as const,
    ...config.rpc.namespaces.map((options, index) => [`rpc.namespaces[${index}]`, options] as const),
  ];
  for (const [path, options] of groups) {
    yield* checkReference(config, {
      path: `${path}.proxy_name`,
      name: options.proxyName,
      enabled: options.proxyEnabled,
      fallback: config.rpc.proxy,
      fallbackPath: 'rpc.proxy',
    });
  }
}

function* checkEndpoint(path: string, proxy: ProxyConfig): Complaints {
  if (proxy.endpoint === '') yield `${path}.endpoint must be set`;
  if (proxy.timeoutMs <= 0) yield `${path}.timeout must be above zero`;
  for (const key of proxy.grpcMetadata) {
    if (key !== key.toLowerCase()) yield `${path}.grpc_metadata must be in lower case: ${JSON.stringify(key)}`;
  }
}

function* checkTransforms(path: string, proxy: ProxyConfig): Complaints {
  for (const [index, transform] of proxy.http.statusToCodeTransforms.entries()) {
    yield* checkTransform(`${path}.http.status_to_code_transforms[${index}]`, transform);
  }
}

function* checkTransform(path: string, { statusCode, toError, toDisconnect }: StatusTransform): Complaints {
  if (statusCode === 0) yield `${path}.status_code must be set`;
  if (toError.code === 0 && toDisconnect.code === 0) yield `${path} needs to_error.code or to_disconnect.code`;
  if (toError.code !== 0 && toDisconnect.code !== 0) yield `${path} has both to_error and to_disconnect`;
  yield* checkReason(`${path}.to_error.message`, toError.message);
  yield* checkReason(`${path}.to_disconnect.reason`, toDisconnect.reason);
}
