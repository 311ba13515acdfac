import { bool, duration, type FieldsOf, group, type GroupField, int, list, oneOf, port, text } from './field.ts';
import { tls, type TlsConfig } from './tls.ts';

/** `nats`: the cluster engine. Without a `url` the engine is the memory of the process. */
export interface NatsConfig {
  readonly url: readonly string[];
  readonly prefix: string;
  readonly credentialsFile: string;
  readonly user: string;
  readonly password: string;
  readonly token: string;
  readonly nkeySeed: string;
  readonly tls: TlsConfig;
  readonly replicas: number;
  readonly shards: number;
  readonly storage: string;
  /** 0 = no limit. */
  readonly maxBytesPerShard: number;
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
}
/** `auth_policy`. An empty `address` means decisions are made in the process that needs them. */
export interface AuthPolicyConfig {
  readonly address: readonly string[];
  readonly port: number;
  readonly maxInFlight: number;
}
/** `gateway`. `workers` 0 means one per core (`auto`). */
export interface GatewayConfig {
  readonly workers: number;
  readonly drainWindowMs: number;
  /** 0 believes no `X-Forwarded-For`. */
  readonly trustedProxyHops: number;
  /** Connections begin with a PROXY protocol header (version 2), which is believed. */
  readonly proxyProtocol: boolean;
}

export const nats: GroupField<FieldsOf<NatsConfig>> = group('NATS with JetStream, which makes a cluster.', {
  url: list('Servers; empty keeps everything in the memory of this process.', [], { splitsCommas: true }),
  prefix: text(
    'First token of all subjects, streams and buckets; clusters with different ones can share servers.',
    'carillon',
  ),
  credentialsFile: text('Path of a credentials file.'),
  user: text('User name.'),
  password: text('Password.'),
  token: text('Token.'),
  nkeySeed: text('NKey seed.'),
  tls: tls('TLS towards the servers.'),
  replicas: int('Replicas of each stream.', 1, { min: 0, max: 5 }),
  shards: int('Streams the channels are spread over. Fixed for the life of a cluster.', 3, { min: 0, max: 1024 }),
  storage: oneOf('`file` or `memory`.', 'file', ['file', 'memory']),
  maxBytesPerShard: int('Largest size of a log stream, in bytes; 0 is no limit.', 0, { min: 0 }),
  requestTimeoutMs: duration('Limit for one request.', '5s'),
  connectTimeoutMs: duration('Limit for one connection attempt.', '5s'),
});
export const authPolicy: GroupField<FieldsOf<AuthPolicyConfig>> = group('The service that asks the backend.', {
  address: list('`host:port` where gateways and api reach it; empty decides in-process.', [], { splitsCommas: true }),
  port: port('Port it listens on.', 10_100),
  maxInFlight: int('Decisions waiting at a time, per caller.', 16_384, { min: 0 }),
});
export const gateway: GroupField<FieldsOf<GatewayConfig>> = group('The service that holds client connections.', {
  workers: int('Processes per machine: a number, or `auto` for one per core.', 1, {
    min: 0,
    max: 1024,
    words: { auto: 0 },
  }),
  drainWindowMs: duration('Window over which clients are told to reconnect at a stop.', '10s'),
  trustedProxyHops: int(
    'Proxies in front of the gateway whose `X-Forwarded-For` entries are believed; 0 believes none.',
    0,
    { min: 0, max: 32 },
  ),
  proxyProtocol: bool(
    'Believe the address in the PROXY protocol header (version 2) that a proxy in front puts before each connection. Only where nobody else can reach the port, and without TLS of our own.',
  ),
});
