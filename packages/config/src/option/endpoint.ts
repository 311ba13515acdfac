import { bool, duration, type FieldsOf, group, type GroupField, int, oneOf, port, text } from './field.ts';
import { tls, type TlsConfig } from './tls.ts';

/** An endpoint that is off unless enabled. */
export interface EndpointConfig {
  readonly enabled: boolean;
  readonly handlerPrefix: string;
}
/** `http_api` (server-api.md 1.5). */
export interface HttpApiConfig {
  readonly disabled: boolean;
  readonly handlerPrefix: string;
  readonly key: string;
  readonly errorMode: string;
  readonly external: boolean;
  readonly insecure: boolean;
  /** Also of the API over gRPC. */
  readonly commercialMethods: boolean;
}
/** `grpc_api` (server-api.md 4). `maxReceiveMessageSize` 0 means 4 MiB. */
export interface GrpcApiConfig {
  readonly enabled: boolean;
  readonly address: string;
  readonly port: number;
  readonly key: string;
  readonly errorMode: string;
  readonly reflection: boolean;
  readonly maxReceiveMessageSize: number;
  readonly tls: TlsConfig;
}
export interface AdminConfig extends EndpointConfig {
  readonly password: string;
  readonly secret: string;
  readonly insecure: boolean;
  readonly external: boolean;
  readonly webPath: string;
  readonly webProxyAddress: string;
}
export interface PrometheusConfig extends EndpointConfig {
  readonly instrumentHttpHandlers: boolean;
  readonly recoveredPublicationsHistogram: boolean;
  readonly nativeHistograms: boolean;
  /** Also expose the metrics under the upstream names. */
  readonly upstreamNames: boolean;
}
export interface OpentelemetryConfig {
  readonly enabled: boolean;
  readonly api: boolean;
  readonly consuming: boolean;
  readonly googleCloudAdcAuth: boolean;
}
export interface GraphiteConfig {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  readonly prefix: string;
  readonly intervalMs: number;
  readonly tags: boolean;
}
/** `shared_poll`: keys for track signatures and the limit on polls. `concurrencyLimit` 0 means 64. */
export interface SharedPollConfig {
  readonly hmacSecretKey: string;
  readonly hmacPreviousSecretKey: string;
  readonly hmacPreviousSecretKeyValidUntil: number;
  readonly concurrencyLimit: number;
}

const endpoint = (doc: string, prefix: string): GroupField<FieldsOf<EndpointConfig>> =>
  group(doc, { enabled: bool('Turns the endpoint on.'), handlerPrefix: text('Path.', prefix) });
const errorMode = oneOf('`transport` answers errors as transport errors.', '', ['', 'transport']);

export const httpApi: GroupField<FieldsOf<HttpApiConfig>> = group('Server API over HTTP.', {
  disabled: bool('Turns the API off.'),
  handlerPrefix: text('Path.', '/api'),
  key: text('API key; without one all calls are refused.'),
  errorMode,
  external: bool('Serve the API on the main port although there is an internal one.'),
  insecure: bool('Do not ask for a key. Development only.'),
  commercialMethods: bool(
    'Serve `connections`, user status, blocked users and revoked tokens, over gRPC too. Off, they are unknown, as in the open edition of Centrifugo.',
    true,
  ),
});
export const grpcApi: GroupField<FieldsOf<GrpcApiConfig>> = group('Server API over GRPC.', {
  enabled: bool('Turns the API on.'),
  address: text('Address to listen on; empty is all.'),
  port: port('Port.', 10_000),
  key: text('API key; empty asks for none.'),
  errorMode,
  reflection: bool('Serve GRPC reflection.'),
  maxReceiveMessageSize: int('Largest incoming message, in bytes; 0 is 4 MiB.'),
  tls: tls('TLS of the listener.'),
});
export const admin: GroupField<FieldsOf<AdminConfig>> = group(
  'What an admin interface asks; there is no interface of our own.',
  {
    enabled: bool('Turns `/admin/init`, `/admin/auth` and `/admin/api` on.'),
    handlerPrefix: text('Path; empty is the root.'),
    password: text('Password of the login.'),
    secret: text('Secret that signs admin tokens.'),
    insecure: bool('No login. Development only.'),
    external: bool('Serve it on the main port although there is an internal one.'),
    webPath: text('Directory of another web interface.'),
    webProxyAddress: text('Address of a development server for the web interface.'),
  },
);
export const prometheus: GroupField<FieldsOf<PrometheusConfig>> = group('Prometheus metrics.', {
  enabled: bool('Turns the endpoint on.'),
  handlerPrefix: text('Path.', '/metrics'),
  instrumentHttpHandlers: bool('Measure HTTP handlers.'),
  recoveredPublicationsHistogram: bool('Histogram of recovered publications.'),
  nativeHistograms: bool('Native histograms instead of summaries.'),
  upstreamNames: bool('Also expose the metrics under their `centrifugo_` names.', true),
});
export const health: GroupField<FieldsOf<EndpointConfig>> = endpoint('Health check.', '/health');
export const swagger: GroupField<FieldsOf<EndpointConfig>> = endpoint('API explorer.', '/swagger');
export const debug: GroupField<FieldsOf<EndpointConfig>> = endpoint('Profiler.', '/debug/pprof');
export const init: GroupField<FieldsOf<EndpointConfig>> = endpoint('Cheap pre-connect request.', '/connection/init');
export const opentelemetry: GroupField<FieldsOf<OpentelemetryConfig>> = group(
  'Traces, sent as the `OTEL_*` variables say.',
  {
    enabled: bool('Turns traces on: deliveries, calls of the backend.'),
    api: bool('Trace calls of the server API, and what they publish.'),
    consuming: bool('Trace consumers.'),
    googleCloudAdcAuth: bool('Authenticate the exporter by Google Cloud default credentials.'),
  },
);
export const graphite: GroupField<FieldsOf<GraphiteConfig>> = group('Metrics pushed to Graphite.', {
  enabled: bool('Turns it on.'),
  host: text('Host.', 'localhost'),
  port: port('Port.', 2003),
  prefix: text('Prefix of metric names.', 'centrifugo'),
  intervalMs: duration('Period.', '10s'),
  tags: bool('Send tags.'),
});
export const sharedPoll: GroupField<FieldsOf<SharedPollConfig>> = group('Shared polls.', {
  hmacSecretKey: text('Secret of track signatures.'),
  hmacPreviousSecretKey: text('Second secret during a rotation.'),
  hmacPreviousSecretKeyValidUntil: int('Unix time until which that one is accepted; 0 is always.'),
  concurrencyLimit: int('Backend calls at a time; 0 is 64.'),
});
