import type { Config } from '../config.ts';
import { type FieldTable, fileKey, isLeaf } from '../option/field.ts';

/**
 * Options that are accepted although nothing reads them, with the reason or what does their work: paths, with everything
 * below them.
 */
export const NOT_BUILT_YET: ReadonlyMap<string, string> = new Map([
  ['engine.redis', 'NATS takes the place of Redis: `nats.*`'],
  ['engine.type', '`nats.url` alone decides between memory and NATS'],
  ['broker.redis', 'NATS takes the place of Redis: `nats.*`'],
  ['broker.postgres', 'NATS takes the place of PostgreSQL: `nats.*`'],
  ['broker.redisnats', 'NATS takes the place of Redis: `nats.*`'],
  ['broker.nats.raw_mode', 'subjects hold encoded channel names, so that any name is one token'],
  ['broker.nats.allow_wildcards', 'subjects hold encoded channel names, so that any name is one token'],
  ['presence_manager', 'presence is where the broker is'],
  ['map_broker', 'map subscriptions are not built'],
  ['controller', 'NATS carries control'],
  ['consumers', 'asynchronous consumers are not built'],
  ['webtransport', 'WebTransport is not built'],
  ['http_server.tls_autocert', 'ACME is left to a proxy or a tool that writes files: SIGHUP takes new certificates'],
  ['http_server.http3', 'the HTTP server has no HTTP/3: leave it to a proxy'],
  ['http_server.h2c_external', 'the HTTP server has no HTTP/2: leave it to a proxy'],
  ['opentelemetry.consuming', 'asynchronous consumers are not built'],
  ['opentelemetry.google_cloud_adc_auth', 'send traces to a collector, which can log in to Google Cloud'],
  ['graphite', 'nothing is pushed: collect `/metrics` with an agent that knows Graphite'],
  ['admin.web_path', 'the admin web interface is not built'],
  ['admin.web_proxy_address', 'the admin web interface is not built'],
  ['debug', 'no profiler of Go: use `--inspect` or `--cpu-prof` of Node'],
  ['shared_poll', 'shared polls are not built'],
  ['prometheus.recovered_publications_histogram', 'sizes of recoveries are always measured'],
  ['prometheus.native_histograms', 'histograms have fixed buckets'],
  ['node.info_metrics_aggregate_interval', '`info` brings no metrics: `/metrics` has them'],
  ['nats.max_bytes_per_shard', 'a full log would drop the newest history of other channels: limit the account in NATS'],
  ['enable_unreleased_features', 'there are none'],
  ['channel.proxy.map_publish.endpoint', 'map subscriptions are not built'],
  ['channel.proxy.map_remove.endpoint', 'map subscriptions are not built'],
  ['channel.proxy.shared_poll_refresh.endpoint', 'shared polls are not built'],
  ['channel.namespaces[].map', 'map subscriptions are not built'],
  ['channel.namespaces[].shared_poll', 'shared polls are not built'],
  ['channel.without_namespace.map', 'map subscriptions are not built'],
  ['channel.without_namespace.shared_poll', 'shared polls are not built'],
]);

/** Whether nothing reads the option at this path. */
export function hasNoEffect(path: string): boolean {
  return [...NOT_BUILT_YET.keys()].some((entry) => isAtOrBelow(path, entry));
}

/** The entries of the list that were set to something other than the default. */
export function notBuiltYetIn(fields: FieldTable, config: Pick<Config, 'broker'>): string[] {
  const changed = [...changedPaths(fields, config, '')];
  const named = [...NOT_BUILT_YET.keys()].filter((entry) => changed.some((path) => isAtOrBelow(path, entry)));
  const { enabled, type } = config.broker;
  return enabled && type !== 'memory' && type !== 'nats' ? ['broker.type', ...named] : named;
}

function isAtOrBelow(path: string, entry: string): boolean {
  return path === entry || path.startsWith(`${entry}.`);
}

function* changedPaths(fields: FieldTable, values: object, path: string): Generator<string> {
  const entries = new Map<string, unknown>(Object.entries(values));
  for (const [name, field] of Object.entries(fields)) {
    const value = entries.get(name);
    const place = path === '' ? fileKey(name, field) : `${path}.${fileKey(name, field)}`;
    if (isLeaf(field)) {
      if (JSON.stringify(value) !== JSON.stringify(field.default)) yield place;
    } else if (field.kind === 'group' && typeof value === 'object' && value !== null) {
      yield* changedPaths(field.fields, value, place);
    } else if (field.kind === 'items' && Array.isArray(value)) {
      if (value.length > 0) yield place;
      for (const item of value as readonly object[]) yield* changedPaths(field.fields, item, `${place}[]`);
    }
  }
}
