/** Flags of the commands that run services: options of the configuration by path (channels-and-config.md 3.3). */

const VALUES: readonly string[] = [
  'http_server.address',
  'http_server.port',
  'http_server.internal_address',
  'http_server.internal_port',
  'engine.type',
  'broker.type',
  'presence_manager.type',
  'map_broker.type',
  'log.level',
  'log.file',
  'grpc_api.port',
  'uni_grpc.port',
  'pid_file',
  'node.name',
  'nats.url',
  'nats.prefix',
  'auth_policy.address',
  'auth_policy.port',
  'gateway.workers',
];
const SWITCHES: readonly string[] = [
  'broker.enabled',
  'presence_manager.enabled',
  'debug.enabled',
  'admin.enabled',
  'prometheus.enabled',
  'health.enabled',
  'swagger.enabled',
  'sse.enabled',
  'http_stream.enabled',
  'uni_websocket.enabled',
  'uni_sse.enabled',
  'uni_http_stream.enabled',
  'uni_grpc.enabled',
  'init.enabled',
  'grpc_api.enabled',
  'client.insecure',
  'http_api.insecure',
  'http_api.external',
  'admin.insecure',
  'admin.external',
];

/** A flag as commander spells it. */
export const SERVER_FLAGS: readonly string[] = [
  ...VALUES.map((path) => `--${path} <value>`),
  ...SWITCHES.map((path) => `--${path} [bool]`),
];

/** The given flags by option path, out of what commander parsed. */
export function serverFlags(parsed: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = [...VALUES, ...SWITCHES].filter((path) => parsed[path] !== undefined);
  const flags: Record<string, string> = Object.fromEntries(given.map((path) => [path, String(parsed[path])]));
  for (const name of ['address', 'port']) {
    const value = parsed[name];
    if (typeof value === 'string') flags[`http_server.${name}`] ??= value;
  }
  return flags;
}
