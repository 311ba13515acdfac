import { bool, duration, type FieldsOf, group, type GroupField, list, port, text } from './field.ts';
import { tls, type TlsConfig } from './tls.ts';

/** `http_server`. `internalPort` 0: internal endpoints share the main port. */
export interface HttpServerConfig {
  readonly address: string;
  readonly port: number;
  readonly internalAddress: string;
  readonly internalPort: number;
  readonly tls: TlsConfig;
  readonly tlsExternal: boolean;
  readonly internalTls: TlsConfig;
  readonly tlsAutocert: {
    readonly enabled: boolean;
    readonly hostWhitelist: readonly string[];
    readonly cacheDir: string;
    readonly email: string;
    readonly serverName: string;
    readonly http: boolean;
    readonly httpAddr: string;
  };
  readonly http3: { readonly enabled: boolean };
  readonly h2cExternal: boolean;
}
/** `log`. `level` is one of none, trace, debug, info, warn, error, fatal. */
export interface LogConfig {
  readonly level: string;
  readonly file: string;
}
export interface ShutdownConfig {
  readonly timeoutMs: number;
}
export interface NodeConfig {
  readonly name: string;
  readonly infoMetricsAggregateIntervalMs: number;
}
export interface UsageStatsConfig {
  readonly disabled: boolean;
}

export const httpServer: GroupField<FieldsOf<HttpServerConfig>> = group('HTTP listeners.', {
  address: text('Address to listen on; empty is all.'),
  port: port('Main port.', 8000),
  internalAddress: text('Address of the internal listener.'),
  internalPort: port('Port of a separate listener for API, admin, metrics, health and debug.'),
  tls: tls('TLS of the listeners.'),
  tlsExternal: bool('Use TLS on the main port only.'),
  internalTls: tls('TLS of the internal listener.'),
  tlsAutocert: group('Certificates by ACME.', {
    enabled: bool('Turns it on.'),
    hostWhitelist: list('Host names to request certificates for.'),
    cacheDir: text('Directory for certificates.'),
    email: text('Contact address.'),
    serverName: text('Server name for clients that send none.'),
    http: bool('Answer http-01 challenges.'),
    httpAddr: text('Address for them.', ':80'),
  }),
  http3: group('HTTP/3.', { enabled: bool('Turns it on; needs TLS.') }),
  h2cExternal: bool('Clear-text HTTP/2 on the main port; needs an internal port and no TLS.'),
});
export const log: GroupField<FieldsOf<LogConfig>> = group('Logs.', {
  level: text('none, trace, debug, info, warn, error or fatal.', 'info'),
  file: text('File to write to instead of stderr.'),
});
export const shutdown: GroupField<FieldsOf<ShutdownConfig>> = group('Shutdown.', {
  timeoutMs: duration('Limit for a graceful stop.', '30s'),
});
export const node: GroupField<FieldsOf<NodeConfig>> = group('This node.', {
  name: text('Unique name; host and port by default.'),
  infoMetricsAggregateIntervalMs: duration('Window of the metrics in `info`.', '60s'),
});
export const usageStats: GroupField<FieldsOf<UsageStatsConfig>> = group('Anonymous statistics. Never sent.', {
  disabled: bool('No effect: nothing is sent.'),
});
