import {
  bool,
  duration,
  type FieldTable,
  group,
  type GroupField,
  int,
  type ItemsField,
  list,
  namedItems,
  oneOf,
  text,
} from './field.ts';
import { redisConnection } from './engine.ts';
import { tls } from './tls.ts';

const publicationMode = (suffix: string): GroupField => {
  const names = ['channels', 'idempotency-key', 'delta', 'version', 'version-epoch'];
  const camel = (name: string): string => name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const fields: Record<string, GroupField | ReturnType<typeof text> | ReturnType<typeof bool>> = {
    enabled: bool('Bodies are publication data.'),
  };
  for (const name of names) fields[camel(name) + suffix] = text(`Where to find the ${name}.`, `centrifugo-${name}`);
  fields[`tags${suffix}Prefix`] = text('Prefix of tags.', 'centrifugo-tag-');
  return group('Messages that are publications.', fields);
};

const postgresql: FieldTable = {
  dsn: text('Connection string.'),
  outboxTableName: text('Table.'),
  numPartitions: int('Partitions.', 1),
  partitionSelectLimit: int('Rows per turn.', 100),
  partitionPollIntervalMs: duration('Period.', '300ms'),
  partitionNotificationChannel: text('Channel of NOTIFY.'),
  partitionNotificationDsn: text('Connection string for NOTIFY.'),
  useTryLock: bool('Do not wait for locks.'),
  tls: tls('TLS towards PostgreSQL.'),
};
const kafka: FieldTable = {
  brokers: list('Brokers.'),
  topics: list('Topics.'),
  consumerGroup: text('Consumer group.'),
  maxPollRecords: int('Records per poll.', 100),
  fetchMaxBytes: int('Bytes per fetch; 0 is the default of the client.'),
  fetchMaxWaitMs: duration('Longest wait for a fetch.', '500ms'),
  fetchReadUncommitted: bool('Read uncommitted records.'),
  partitionQueueMaxSize: int('Records queued per partition.', 1000),
  dialTimeoutMs: duration('Limit for connecting.', '3s'),
  tls: tls('TLS towards Kafka.'),
  saslMechanism: oneOf('Authentication.', '', ['', 'plain', 'scram-sha-256', 'scram-sha-512', 'aws-msk-iam']),
  saslUser: text('User name.'),
  saslPassword: text('Password.'),
  assumeRoleArn: text('Role to assume.'),
  instanceId: text('Static member name.'),
  methodHeader: text('Header of the API method.', 'centrifugo-method'),
  publicationDataMode: publicationMode('Header'),
};
const natsJetstream: FieldTable = {
  url: text('Servers.', 'nats://127.0.0.1:4222'),
  credentialsFile: text('Path of a credentials file.'),
  username: text('User name.'),
  password: text('Password.'),
  token: text('Token.'),
  streamName: text('Stream.'),
  subjects: list('Subjects.'),
  durableConsumerName: text('Durable consumer.'),
  deliverPolicy: oneOf('`new` or `all`.', 'new', ['new', 'all']),
  maxAckPending: int('Unacknowledged messages.', 100),
  useExistingConsumer: bool('Only look the consumer up.'),
  methodHeader: text('Header of the API method.', 'centrifugo-method'),
  publicationDataMode: publicationMode('Header'),
  tls: tls('TLS towards NATS.'),
};
const redisStream: FieldTable = {
  ...redisConnection,
  streams: list('Streams.'),
  consumerGroup: text('Consumer group.'),
  visibilityTimeoutMs: duration('Age at which pending entries are claimed.', '30s'),
  numWorkers: int('Workers.', 1),
  payloadValue: text('Field of the payload.', 'payload'),
  methodValue: text('Field of the API method.', 'method'),
  publicationDataMode: publicationMode('Value'),
};
const googlePubSub: FieldTable = {
  projectId: text('Project.'),
  subscriptions: list('Subscriptions.'),
  maxOutstandingMessages: int('Messages in flight.', 100),
  maxOutstandingBytes: int('Bytes in flight.', 1_000_000),
  authMechanism: text('Authentication.'),
  credentialsFile: text('Path of a credentials file.'),
  methodAttribute: text('Attribute of the API method.', 'centrifugo-method'),
  publicationDataMode: publicationMode('Attribute'),
};
const awsSqs: FieldTable = {
  queues: list('Queues.'),
  region: text('Region.'),
  maxNumberOfMessages: int('Messages per poll.', 10),
  // compat: the doubled word is how the option is spelled.
  waitTimeTimeMs: duration('Longest wait of a poll.', '20s'),
  visibilityTimeoutMs: duration('Visibility timeout.', '30s'),
  maxConcurrency: int('Messages in flight.', 1),
  credentialsProfile: text('Credentials profile.'),
  assumeRoleArn: text('Role to assume.'),
  snsEnvelope: bool('Unwrap SNS messages.'),
  localstackEndpoint: text('Endpoint of a test server.'),
  methodAttribute: text('Attribute of the API method.', 'centrifugo-method'),
  publicationDataMode: publicationMode('Attribute'),
};
const azureServiceBus: FieldTable = {
  connectionString: text('Connection string.'),
  useAzureIdentity: bool('Authenticate by identity.'),
  fullyQualifiedNamespace: text('Namespace.'),
  tenantId: text('Tenant.'),
  clientId: text('Client.'),
  clientSecret: text('Client secret.'),
  queues: list('Queues.'),
  useSessions: bool('Use sessions.'),
  maxConcurrentCalls: int('Calls at a time.', 1),
  maxReceiveMessages: int('Messages per call.', 1),
  methodProperty: text('Property of the API method.', 'centrifugo-method'),
  publicationDataMode: publicationMode('Property'),
};

/** `consumers` (channels-and-config.md 6). */
export const consumers: ItemsField = namedItems('Asynchronous consumers.', {
  name: text('Name: `[a-zA-Z0-9_]{2,}`, unique.'),
  enabled: bool('Turns the consumer on.'),
  type: oneOf('Source.', '', [
    '',
    'postgresql',
    'kafka',
    'nats_jetstream',
    'redis_stream',
    'google_pub_sub',
    'aws_sqs',
    'azure_service_bus',
  ]),
  postgresql: group('PostgreSQL outbox.', postgresql),
  kafka: group('Kafka.', kafka),
  natsJetstream: group('NATS JetStream.', natsJetstream),
  redisStream: group('Redis Streams.', redisStream),
  googlePubSub: group('Google Pub/Sub.', googlePubSub),
  awsSqs: group('AWS SQS.', awsSqs),
  azureServiceBus: group('Azure Service Bus.', azureServiceBus),
});
