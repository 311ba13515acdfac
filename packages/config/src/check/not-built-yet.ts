import type { Config } from '../config.ts';
import { type FieldTable, fileKey, isLeaf } from '../option/field.ts';

/** Options that are accepted although nothing reads them yet: paths, with everything below them. */
export const NOT_BUILT_YET: readonly string[] = [
  'engine.redis',
  'engine.type',
  'broker.redis',
  'broker.postgres',
  'broker.redisnats',
  'broker.nats.raw_mode',
  'broker.nats.allow_wildcards',
  'presence_manager',
  'map_broker',
  'controller',
  'consumers',
  'webtransport',
  'http_server.tls_autocert',
  'http_server.http3',
  'http_server.h2c_external',
  'opentelemetry',
  'graphite',
  'admin.enabled',
  'admin.web_path',
  'admin.web_proxy_address',
  'debug',
  'shared_poll',
  'prometheus.instrument_http_handlers',
  'prometheus.recovered_publications_histogram',
  'prometheus.native_histograms',
  'node.info_metrics_aggregate_interval',
  'nats.max_bytes_per_shard',
  'enable_unreleased_features',
  'websocket.compression_level',
  'websocket.write_timeout',
  'uni_websocket.compression_level',
  'uni_websocket.write_timeout',
  'channel.proxy.map_publish',
  'channel.proxy.map_remove',
  'channel.proxy.shared_poll_refresh',
  'channel.namespaces[].map',
  'channel.namespaces[].shared_poll',
  'channel.without_namespace.map',
  'channel.without_namespace.shared_poll',
];

/** The entries of the list that were set to something other than the default. */
export function notBuiltYetIn(fields: FieldTable, config: Pick<Config, 'broker'>): string[] {
  const changed = [...changedPaths(fields, config, '')];
  const named = NOT_BUILT_YET.filter((entry) => changed.some((path) => path === entry || path.startsWith(`${entry}.`)));
  const { enabled, type } = config.broker;
  return enabled && type !== 'memory' && type !== 'nats' ? ['broker.type', ...named] : named;
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
