import {
  bool,
  duration,
  type FieldsOf,
  type FieldTable,
  group,
  type GroupField,
  int,
  list,
  map,
  oneOf,
  text,
} from './field.ts';
import { tls } from './tls.ts';

/** `engine`, `broker`, `presence_manager`, `map_broker`, `controller` (channels-and-config.md 3.9). */
export interface EngineConfig {
  readonly type: string;
  readonly redis: unknown;
}
export interface BrokerConfig {
  readonly enabled: boolean;
  readonly type: string;
  readonly redis: unknown;
  readonly nats: BrokerNatsConfig;
  readonly postgres: unknown;
  readonly redisnats: unknown;
}
/** compat: only `url` is used, for `nats.url`, when `broker.type` is `nats`. */
export interface BrokerNatsConfig {
  readonly prefix: string;
  readonly url: readonly string[];
  readonly dialTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly allowWildcards: boolean;
  readonly rawMode: unknown;
  readonly tls: unknown;
}
export interface PresenceManagerConfig {
  readonly enabled: boolean;
  readonly type: string;
  readonly redis: unknown;
}
export interface MapBrokerConfig {
  readonly type: string;
  readonly redis: unknown;
  readonly postgres: unknown;
}
export interface ControllerConfig {
  readonly enabled: boolean;
  readonly type: string;
  readonly postgres: unknown;
}

/** The Redis object without its prefix, as consumers have it. */
export const redisConnection: FieldTable = {
  address: list('Addresses; several mean client-side sharding.', ['redis://127.0.0.1:6379']),
  connectTimeoutMs: duration('Limit for connecting.', '1s'),
  ioTimeoutMs: duration('Limit for one exchange.', '4s'),
  db: int('Database number.'),
  user: text('User name.'),
  password: text('Password.'),
  clientName: text('Name of the client.'),
  forceResp2: bool('Speak the older protocol.'),
  clusterAddress: list('Cluster seed addresses.'),
  sentinelAddress: list('Sentinel addresses.'),
  tls: tls('TLS towards Redis.'),
  sentinelUser: text('User name at the sentinels.'),
  sentinelPassword: text('Password at the sentinels.'),
  sentinelMasterName: text('Name of the master.'),
  sentinelClientName: text('Name of the client at the sentinels.'),
  sentinelTls: tls('TLS towards the sentinels.'),
  replicaClient: group('Reads from replicas.', { enabled: bool('Turns it on.') }),
};
const redisObject: FieldTable = { prefix: text('Prefix of keys.', 'centrifugo'), ...redisConnection };
const presenceFields: FieldTable = {
  presenceTtlMs: duration('Life of presence entries.', '60s'),
  presenceHashFieldTtl: bool('Expire single fields.'),
  presenceUserMapping: bool('Count users apart.'),
};
const historyLists: FieldTable = { historyUseLists: bool('Old layout of histories.') };

const natsFields: FieldsOf<BrokerNatsConfig> = {
  prefix: text('Subject prefix.', 'centrifugo'),
  url: list('Servers; used for `nats.url` when that is empty and `broker.type` is `nats`.', ['nats://localhost:4222'], {
    splitsCommas: true,
  }),
  dialTimeoutMs: duration('Limit for connecting.', '1s'),
  writeTimeoutMs: duration('Limit for writing.', '1s'),
  allowWildcards: bool('Subscriptions may hold wildcards.'),
  rawMode: group('Bare payloads on plain subjects.', {
    enabled: bool('Turns it on.'),
    channelReplacements: map('Replacements from channel to subject.'),
    prefix: text('Subject prefix.'),
  }),
  tls: tls('TLS towards NATS.'),
};

const postgresStore: FieldTable = {
  dsn: text('Connection string.'),
  tls: tls('TLS towards PostgreSQL.'),
  poolSize: int('Connections.', 16),
  numShards: int('Shards.', 8),
  cleanupIntervalMs: duration('Period of the clean-up.', '1m'),
  idempotentResultTtlMs: duration('Life of idempotency keys.', '5m'),
  binaryData: bool('Binary payload columns.'),
  streamRetentionMs: duration('Life of stream rows.', '24h'),
  useNotify: bool('Wake up by NOTIFY.'),
  notifyDsn: text('Connection string for NOTIFY.'),
  tablePrefix: text('Prefix of tables.', 'cf'),
  skipSchemaInit: bool('Do not create tables.'),
  outbox: group('Outbox.', {
    pollIntervalMs: duration('Period.', '100ms'),
    batchSize: int('Rows per turn.', 1000),
  }),
  partitionLookaheadDays: int('Partitions made ahead, in days.', 2),
  partitionRetentionDays: int('Partitions kept, in days.', 7),
};
const controllerStore: FieldTable = {
  dsn: text('Connection string.'),
  tls: tls('TLS towards PostgreSQL.'),
  poolSize: int('Connections.', 8),
  numShards: int('Shards.', 1),
  tablePrefix: text('Prefix of tables.', 'cf'),
  pollIntervalMs: duration('Period.', '50ms'),
  useNotify: bool('Wake up by NOTIFY.'),
  notifyDsn: text('Connection string for NOTIFY.'),
  partitionRetentionDays: int('Partitions kept, in days.', 1),
  partitionLookaheadDays: int('Partitions made ahead, in days.', 2),
  partitionCleanupIntervalMs: duration('Period of the clean-up.', '1m'),
  batchSize: int('Rows per turn.', 1000),
  skipSchemaInit: bool('Do not create tables.'),
};

const redisBroker = group('Redis.', { ...redisObject, ...historyLists });

export const engine: GroupField<FieldsOf<EngineConfig>> = group('Broker and presence in one.', {
  type: oneOf('`memory` or `redis`. With `nats.url` set, NATS takes its place.', 'memory', ['memory', 'redis']),
  redis: group('Redis.', { ...redisObject, ...historyLists, ...presenceFields }),
});
export const broker: GroupField<FieldsOf<BrokerConfig>> = group('Broker apart from the engine.', {
  enabled: bool('Turns it on.'),
  type: oneOf('`memory`, `redis`, `nats`, `postgres` or `redisnats`.', 'memory', [
    'memory',
    'redis',
    'nats',
    'postgres',
    'redisnats',
  ]),
  redis: redisBroker,
  nats: group('NATS without history.', natsFields),
  postgres: group('PostgreSQL.', postgresStore),
  redisnats: group('Redis for history, NATS for fan-out.', {
    redis: redisBroker,
    nats: group('NATS.', natsFields),
  }),
});
export const presenceManager: GroupField<FieldsOf<PresenceManagerConfig>> = group('Presence apart from the engine.', {
  enabled: bool('Turns it on.'),
  type: oneOf('`memory` or `redis`.', 'memory', ['memory', 'redis']),
  redis: group('Redis.', { ...redisObject, ...presenceFields }),
});
export const mapBroker: GroupField<FieldsOf<MapBrokerConfig>> = group('Store of map subscriptions.', {
  type: oneOf('`memory`, `redis` or `postgres`.', 'memory', ['memory', 'redis', 'postgres']),
  redis: group('Redis.', {
    ...redisObject,
    cleanupIntervalMs: duration('Period of the clean-up.', '1s'),
    cleanupBatchSize: int('Keys per turn.', 100),
    idempotentResultTtlMs: duration('Life of idempotency keys.', '5m'),
    skipPubSub: bool('Do not fan out.'),
  }),
  postgres: group('PostgreSQL.', {
    ...postgresStore,
    ttlCheckIntervalMs: duration('Period of the expiry check.', '1s'),
  }),
});
export const controller: GroupField<FieldsOf<ControllerConfig>> = group('Carrier of control messages.', {
  enabled: bool('Turns it on.'),
  type: oneOf('`postgres`.', '', ['', 'postgres']),
  postgres: group('PostgreSQL.', controllerStore),
});
