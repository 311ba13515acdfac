// The connections of a process to NATS: one for live traffic and appends, one for history reads, which the server runs
// inline on the connection that asks. Created at start, shared by broker, presence and control, closed by `compose`.
import type { OutgoingMessage } from './connect/publish-frame.ts';
import { TurnWrites } from './connect/turn-writes.ts';
import { compareVersions, MIN_SERVER_VERSION } from './connect/server-version.ts';
import { hostsOf, toConnectionOptions, type NatsConnectOptions } from './connect/nats-options.ts';
import { createNatsSubjects, type NatsSubjects } from './nats-subjects.ts';
import { RawHeaders } from './request/raw-headers.ts';
import type { NatsConnection, PublishOptions } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { OperationalError, systemClock, type Clock, type Log } from '@carillon/service-kit';

export interface ConnectNatsOptions extends NatsConnectOptions {
  /** Before each subject; see nats-subjects. Default `carillon`. */
  readonly prefix?: string | undefined;
  readonly shards?: number | undefined;
  /** How long start waits for a fit server, ms. Default 10 s. */
  readonly connectDeadlineMs?: number | undefined;
  readonly log: Log;
  readonly clock?: Clock | undefined;
}

/** A pair of connections that come back by themselves, for ever, and never hold publications for later. */
export interface NatsLink {
  /** Live subjects, appends, requests. Prefer `publish`, which refuses during an outage. */
  readonly main: NatsConnection;
  /** History reads only. */
  readonly reads: NatsConnection;
  readonly subjects: NatsSubjects;
  readonly isConnected: boolean;
  /** Sends on the main connection; throws an OperationalError (`nats_unavailable`) during an outage, at once. */
  publish(subject: string, payload: Uint8Array, options?: PublishOptions): void;
  /** The same for who publishes much: for a small part of the CPU time of the library's own way. */
  send(message: OutgoingMessage): void;
  /** Calls `fn`, which must not throw, at the end of this turn: what it publishes leaves with all that the turn has published. */
  atTurnEnd(fn: () => void): void;
  /** Resolves when connected; rejects with an OperationalError after `deadlineMs`. */
  whenConnected(deadlineMs: number): Promise<void>;
  /** Calls `fn` after each reconnect of the main connection, subscriptions restored. Returns how to stop that. */
  onReconnect(fn: () => void): () => void;
  /** Why NATS can't serve now, or undefined. Never awaits. */
  unavailable(): string | undefined;
  /** Idempotent; later use throws or rejects. */
  close(): Promise<void>;
}

const DEFAULT_CONNECT_DEADLINE_MS = 10_000;
const CONNECT_RETRY_MS = 300;
const API_TIMEOUT_MS = 2_000;
const CLOSE_DEADLINE_MS = 2_000;

/** Connects, then checks version and JetStream. Rejects with an OperationalError that says what is missing. */
export async function connectNats(options: ConnectNatsOptions): Promise<NatsLink> {
  const { log, clock = systemClock, connectDeadlineMs = DEFAULT_CONNECT_DEADLINE_MS } = options;
  const subjects = createNatsSubjects({ prefix: options.prefix ?? 'carillon', shards: options.shards });
  const hosts = hostsOf(options);
  const deadlineAt = clock.monotonic() + connectDeadlineMs;
  const open = (purpose: string): Promise<NatsConnection> =>
    retryUntil(deadlineAt, clock, async () => connect(toConnectionOptions(options, purpose))).catch(
      (cause: unknown) => {
        if (cause instanceof OperationalError) throw cause;
        throw new OperationalError('nats_connect', `no connection to NATS at ${hosts}`, { cause });
      },
    );
  const main = await open('main');
  try {
    checkVersion(main, hosts);
    await retryUntil(deadlineAt, clock, () => checkJetStream(main, hosts));
    const reads = await open('reads');
    log.info('connected to NATS', { hosts, version: main.info?.version, prefix: subjects.prefix });
    return new Link({ main, reads, subjects, log, clock });
  } catch (error) {
    await main.close();
    throw error;
  }
}

interface LinkDependencies {
  readonly main: NatsConnection;
  readonly reads: NatsConnection;
  readonly subjects: NatsSubjects;
  readonly log: Log;
  readonly clock: Clock;
}

class Link implements NatsLink {
  readonly main: NatsConnection;
  readonly reads: NatsConnection;
  readonly subjects: NatsSubjects;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #listeners: Set<() => void> = new Set();
  readonly #waiting: Set<() => void> = new Set();
  readonly #watches: Promise<void>[];
  #isUp = true;
  #isReadsUp = true;
  readonly #turnWrites: TurnWrites;
  #closing: Promise<void> | undefined;

  constructor({ main, reads, subjects, log, clock }: LinkDependencies) {
    this.main = main;
    this.#turnWrites = new TurnWrites(main);
    this.reads = reads;
    this.subjects = subjects;
    this.#log = log;
    this.#clock = clock;
    this.#watches = [
      this.#watch(main, 'main', (isUp) => this.#setUp(isUp)),
      this.#watch(reads, 'reads', (isUp) => {
        this.#isReadsUp = isUp;
      }),
    ];
  }

  get isConnected(): boolean {
    return this.#isUp && this.#closing === undefined;
  }

  publish(subject: string, payload: Uint8Array, options?: PublishOptions): void {
    // The library would keep it for the next connection; its caller would have been told of a failure by then.
    if (!this.isConnected) throw unavailableError(this.unavailable());
    const headers = plainHeaders(options);
    if (headers !== undefined) {
      if (this.#turnWrites.send({ subject, payload, reply: options?.reply ?? '', headers })) return;
    } else this.#turnWrites.begin();
    this.main.publish(subject, payload, options);
  }

  send(message: OutgoingMessage): void {
    if (!this.isConnected) throw unavailableError(this.unavailable());
    if (this.#turnWrites.send(message)) return;
    const { subject, payload, reply, headers } = message;
    this.main.publish(subject, payload instanceof Uint8Array ? payload : payload.finish(), {
      ...(reply === '' ? {} : { reply }),
      ...(headers === '' ? {} : { headers: new RawHeaders(headers) }),
    });
  }

  atTurnEnd(fn: () => void): void {
    this.#turnWrites.atTurnEnd(fn);
  }

  async whenConnected(deadlineMs: number): Promise<void> {
    if (this.isConnected) return;
    if (this.#closing !== undefined) throw unavailableError(this.unavailable());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(deadlineMs, () => reject(unavailableError(this.unavailable())));
    const wake = (): void => (this.isConnected ? resolve() : reject(unavailableError(this.unavailable())));
    this.#waiting.add(wake);
    try {
      await promise;
    } finally {
      timer.cancel();
      this.#waiting.delete(wake);
    }
  }

  onReconnect(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => void this.#listeners.delete(fn);
  }

  unavailable(): string | undefined {
    if (this.#closing !== undefined) return 'the connection to NATS is closed';
    if (!this.#isUp) return 'no connection to NATS';
    return this.#isReadsUp ? undefined : 'no connection to NATS for history reads';
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // During an outage a drain would wait for a server that is not there.
    const wasUp = this.#isUp;
    for (const wake of this.#waiting) wake();
    await Promise.all([wasUp ? this.#drain(this.main) : this.main.close(), this.reads.close()]);
    await Promise.all(this.#watches);
  }

  async #drain(connection: NatsConnection): Promise<void> {
    if (connection.isClosed()) return;
    const timer = this.#clock.setTimer(CLOSE_DEADLINE_MS, () => void connection.close());
    try {
      await connection.drain();
    } catch (error) {
      this.#log.debug('NATS connection did not drain', { error });
      await connection.close();
    } finally {
      timer.cancel();
    }
  }

  async #watch(connection: NatsConnection, purpose: string, set: (isUp: boolean) => void): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        set(false);
        if (this.#closing === undefined)
          this.#log.warn('lost the connection to NATS', { purpose, server: status.server });
      } else if (status.type === 'reconnect') {
        this.#log.info('reconnected to NATS', { purpose, server: status.server });
        set(true);
      } else if (status.type === 'error') {
        this.#log.warn('NATS reported an error', { purpose, error: status.error });
      }
    }
    set(false);
  }

  #setUp(isUp: boolean): void {
    const wasUp = this.#isUp;
    this.#isUp = isUp;
    if (!isUp || wasUp) return;
    for (const wake of this.#waiting) wake();
    for (const listener of this.#listeners) listener();
  }
}

/** Undefined for headers that only the library encodes. */
function plainHeaders(options: PublishOptions | undefined): string | undefined {
  if (options?.headers === undefined) return '';
  return options.headers instanceof RawHeaders ? options.headers.lines : undefined;
}

function unavailableError(reason: string | undefined): OperationalError {
  return new OperationalError('nats_unavailable', reason ?? 'NATS is not available');
}

function checkVersion(connection: NatsConnection, hosts: string): void {
  const version = connection.info?.version ?? '0';
  if (compareVersions(version, MIN_SERVER_VERSION) >= 0) return;
  throw new OperationalError(
    'nats_version',
    `NATS at ${hosts} is version ${version}; Carillon needs ${MIN_SERVER_VERSION} or newer`,
    { retriable: false },
  );
}

async function checkJetStream(connection: NatsConnection, hosts: string): Promise<void> {
  const fail = (cause: unknown): never => {
    throw new OperationalError(
      'nats_jetstream',
      `JetStream does not answer at ${hosts}: enable it on the servers ('jetstream' block or -js) and for the account`,
      { cause },
    );
  };
  const answer = await connection.request('$JS.API.INFO', '', { timeout: API_TIMEOUT_MS }).catch(fail);
  const info: unknown = JSON.parse(answer.string());
  if (typeof info === 'object' && info !== null && 'error' in info) fail(info.error);
}

/** Repeats until done or until the deadline; then the last failure counts. A failure that says so is not repeated. */
async function retryUntil<T>(deadlineAt: number, clock: Clock, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isFinal = error instanceof OperationalError && !error.retriable;
      if (isFinal || clock.monotonic() + CONNECT_RETRY_MS >= deadlineAt) throw error;
      await new Promise<void>((resolve) => clock.setTimer(CONNECT_RETRY_MS, resolve));
    }
  }
}
