// Declares the streams of channels: idempotent, by any service that starts, in any order. Every stream carries who made
// it and for which version of the configuration, so that a foreign stream of the same name is never touched.
import type { NatsConnection } from '@nats-io/nats-core';
import { OperationalError, type Clock, type Log } from '@carillon/service-kit';
import type { NatsSubjects } from './nats-subjects.ts';

export interface NatsStreamOptions {
  /** 1, 3 or 5 copies of each stream. */
  readonly replicas: number;
  readonly storage: 'file' | 'memory';
  /** How long idempotency keys are remembered, ms. */
  readonly idempotencyTtlMs: number;
}

/** As the JetStream API spells a stream's configuration; only what we set. */
export interface StreamConfig {
  readonly name: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly [option: string]: unknown;
}

export interface DeclareStreamsDependencies {
  readonly connection: NatsConnection;
  readonly subjects: NatsSubjects;
  readonly log: Log;
  readonly clock: Clock;
  /** For all streams together, ms. */
  readonly deadlineMs?: number | undefined;
  /** Asked before each repetition: true ends them. */
  readonly isCancelled?: (() => boolean) | undefined;
}

const OWNER_KEY = 'carillon.owner';
const VERSION_KEY = 'carillon.version';
const SHARDS_KEY = 'carillon.shards';
/** Raise it with every change of the configurations below: nodes of an older version leave newer streams alone. */
const CONFIG_VERSION = 2;

const NS_PER_MS = 1_000_000;
const API_TIMEOUT_MS = 5_000;
const RETRY_MS = 250;
const DEFAULT_DEADLINE_MS = 20_000;
const STREAM_NOT_FOUND = 10_059;
const STREAM_NAME_EXISTS = 10_058;

/** All streams that the broker needs. */
export function channelStreams(subjects: NatsSubjects, options: NatsStreamOptions): StreamConfig[] {
  const configs: StreamConfig[] = [];
  for (let shard = 0; shard < subjects.shards; shard++) {
    configs.push(logStream(subjects, shard, options));
  }
  configs.push(idempotencyStream(subjects, options));
  return configs;
}

/** Creates or updates the streams. Rejects with an OperationalError that says what is wrong with which. */
export async function declareStreams(
  configs: readonly StreamConfig[],
  { connection, subjects, log, clock, deadlineMs = DEFAULT_DEADLINE_MS, isCancelled }: DeclareStreamsDependencies,
): Promise<void> {
  const deadlineAt = clock.monotonic() + deadlineMs;
  for (const plain of configs) {
    const config = {
      ...plain,
      metadata: {
        ...plain.metadata,
        [OWNER_KEY]: subjects.prefix,
        [VERSION_KEY]: String(CONFIG_VERSION),
        [SHARDS_KEY]: String(subjects.shards),
      },
    };
    for (;;) {
      try {
        await declareStream(connection, config, log);
        break;
      } catch (error) {
        // A cluster that has just started has no leader for a while.
        const isFinal = error instanceof OperationalError && !error.retriable;
        if (isFinal || isCancelled?.() === true || clock.monotonic() + RETRY_MS > deadlineAt) throw error;
        await new Promise<void>((resolve) => clock.setTimer(RETRY_MS, resolve));
      }
    }
  }
}

function logStream(subjects: NatsSubjects, shard: number, options: NatsStreamOptions): StreamConfig {
  return {
    name: subjects.logStream(shard),
    subjects: [subjects.logSubjects(shard)],
    ...common(options),
    max_msgs_per_subject: 1,
    allow_msg_ttl: true,
    duplicate_window: options.idempotencyTtlMs * NS_PER_MS,
    republish: { src: subjects.logSubjects(shard), dest: subjects.liveDestination(shard) },
  };
}

function idempotencyStream(subjects: NatsSubjects, options: NatsStreamOptions): StreamConfig {
  return {
    name: subjects.idempotencyStream(),
    subjects: [subjects.idempotencySubjects()],
    ...common(options),
    // Nothing is lost with it that outlives five minutes.
    storage: 'memory',
    max_msgs_per_subject: 1,
    max_age: options.idempotencyTtlMs * NS_PER_MS,
    duplicate_window: Math.min(options.idempotencyTtlMs, 2_000) * NS_PER_MS,
  };
}

function common({ replicas, storage }: NatsStreamOptions): Omit<StreamConfig, 'name'> {
  return { retention: 'limits', discard: 'old', storage, num_replicas: replicas, allow_direct: true };
}

async function declareStream(connection: NatsConnection, config: StreamConfig, log: Log): Promise<void> {
  const found = await streamApi(connection, `STREAM.INFO.${config.name}`, {});
  if (found.error !== undefined) {
    if (found.error.err_code !== STREAM_NOT_FOUND) throw apiError(config.name, found.error);
    const created = await streamApi(connection, `STREAM.CREATE.${config.name}`, config);
    // Where another service was faster the error is retriable: its configuration is looked at then.
    if (created.error !== undefined) throw apiError(config.name, created.error);
    log.info('created a stream', { stream: config.name });
    return;
  }
  const existing = found.config ?? { name: config.name };
  checkOwner(existing, config);
  if (Number(existing.metadata?.[VERSION_KEY]) > CONFIG_VERSION || isCovered(config, existing)) return;
  if (existing['storage'] !== config['storage']) {
    throw new OperationalError(
      'nats_stream_storage',
      `stream ${config.name} is kept in ${String(existing['storage'])}, ${String(config['storage'])} is configured: a stream can't change that`,
      { retriable: false },
    );
  }
  const updated = await streamApi(connection, `STREAM.UPDATE.${config.name}`, { ...existing, ...config });
  if (updated.error !== undefined) throw apiError(config.name, updated.error);
  log.info('updated a stream', { stream: config.name });
}

function checkOwner(existing: StreamConfig, config: StreamConfig): void {
  const owner = existing.metadata?.[OWNER_KEY];
  if (owner !== config.metadata?.[OWNER_KEY]) {
    throw new OperationalError(
      'nats_foreign_stream',
      `stream ${config.name} exists and is not of this cluster (${owner === undefined ? 'no owner' : `owner ${owner}`}): choose another nats prefix, or delete the stream`,
      { retriable: false },
    );
  }
  const shards = existing.metadata?.[SHARDS_KEY];
  if (shards !== config.metadata?.[SHARDS_KEY]) {
    throw new OperationalError(
      'nats_shards',
      `stream ${config.name} is one of ${shards ?? 'no'} shards, ${config.metadata?.[SHARDS_KEY] ?? 'none'} are configured: all nodes must agree`,
      { retriable: false },
    );
  }
}

/** Whether the server's answer has all that we want; it adds defaults of its own. */
function isCovered(wanted: unknown, actual: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return wanted === actual;
  if (typeof actual !== 'object' || actual === null) return false;
  const have = new Map<string, unknown>(Object.entries(actual));
  return Object.entries(wanted).every(([key, value]) => isCovered(value, have.get(key)));
}

interface StreamAnswer {
  readonly error?: WireApiError | undefined;
  readonly config?: StreamConfig | undefined;
}

interface WireApiError {
  readonly code?: number;
  readonly err_code?: number;
  readonly description?: string;
}

async function streamApi(connection: NatsConnection, api: string, request: object): Promise<StreamAnswer> {
  try {
    const message = await connection.request(`$JS.API.${api}`, JSON.stringify(request), { timeout: API_TIMEOUT_MS });
    return JSON.parse(message.string()) as StreamAnswer;
  } catch (cause) {
    throw new OperationalError('nats_api', `JetStream did not answer ${api}`, { cause });
  }
}

const BAD_CONFIGURATION = 400;

function apiError(stream: string, error: WireApiError): OperationalError {
  return new OperationalError('nats_stream', `stream ${stream}: ${error.description ?? 'unknown error'}`, {
    cause: error,
    retriable: error.err_code === STREAM_NAME_EXISTS || error.code !== BAD_CONFIGURATION,
  });
}
