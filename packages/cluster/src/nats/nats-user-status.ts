import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core';
import { OperationalError, type Clock, type Log } from '@carillon/service-kit';
import { MAX_USER_STATUSES, USER_STATUS_TTL_S, type UserStatus, type UserStatusStore } from '../user-status.ts';
import type { NatsLink } from './nats-connection.ts';
import { declareStreams, type StreamConfig } from './nats-streams.ts';
import type { NatsSubjects } from './nats-subjects.ts';
import { NoStreamError, parseAnswer } from './presence/stream-request.ts';
import { isNoResponders } from './request/reply-inbox.ts';
import { createLinkRequesters } from './request/link-requesters.ts';
import type { Requester } from './request/requester.ts';

const REQUEST_DEADLINE_MS = 5_000;
/** Subjects in one read: the server answers at most 1,024, and runs each read in one go. */
const MAX_SUBJECTS_PER_READ = 500;
/** Writes of one call that are under way at a time. */
const MAX_CONCURRENT_WRITES = 256;
/** How long a removed status takes to go for good: the shortest that the server knows. */
const REMOVAL_TTL_S = 1;

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface NatsUserStatusDeps {
  /** Shared; closed by its owner after this. */
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly replicas?: number | undefined;
}

/**
 * User statuses in a stream: one message per user, which goes by its own TTL. The stream is made when it is first
 * needed, so a cluster that never asks for statuses has none. A read may be answered by a replica a moment behind.
 */
export class NatsUserStatus implements UserStatusStore {
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #replicas: number;
  readonly #writes: Requester;
  readonly #reads: Requester;
  readonly #ttl: MsgHdrs = ttlHeader(USER_STATUS_TTL_S);
  readonly #removalTtl: MsgHdrs = ttlHeader(REMOVAL_TTL_S);
  #declaring: Promise<void> | undefined;
  #isClosed = false;

  constructor({ link, clock, log, replicas }: NatsUserStatusDeps) {
    this.#link = link;
    this.#clock = clock;
    this.#log = log;
    this.#replicas = replicas ?? 1;
    const { writes, reads } = createLinkRequesters(link, clock);
    this.#writes = writes;
    this.#reads = reads;
  }

  put(users: readonly string[], status: UserStatus): Promise<void> {
    return this.#writeAll(users, (user) => encodeStatus(user, status), this.#ttl);
  }

  remove(users: readonly string[]): Promise<void> {
    // In order with the writes before and after it, which a purge would not be.
    return this.#writeAll(users, () => NOTHING, this.#removalTtl);
  }

  async get(users: readonly string[]): Promise<ReadonlyMap<string, UserStatus>> {
    const found = new Map<string, UserStatus>();
    for (let start = 0; start < users.length; start += MAX_SUBJECTS_PER_READ) {
      const page = users.slice(start, start + MAX_SUBJECTS_PER_READ);
      await this.#withStream(() => this.#read(page, found));
    }
    return found;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#writes.close();
    this.#reads.close();
    // Whoever waits for it has its outcome; here only its end counts.
    await this.#declaring?.catch(() => undefined);
  }

  async #writeAll(users: readonly string[], payloadOf: (user: string) => Uint8Array, ttl: MsgHdrs): Promise<void> {
    for (let start = 0; start < users.length; start += MAX_CONCURRENT_WRITES) {
      const page = users.slice(start, start + MAX_CONCURRENT_WRITES);
      await this.#withStream(() => Promise.all(page.map((user) => this.#write(user, payloadOf(user), ttl))));
    }
  }

  async #write(user: string, payload: Uint8Array, ttl: MsgHdrs): Promise<void> {
    const subject = this.#link.subjects.userStatus(user);
    const request = { subject, payload, headers: ttl, deadlineMs: REQUEST_DEADLINE_MS };
    const reply = await this.#writes.request(request);
    if (isNoResponders(reply)) throw new NoStreamError(subject);
    parseAnswer(reply.data);
  }

  #read(users: readonly string[], found: Map<string, UserStatus>): Promise<void> {
    const { subjects } = this.#link;
    const subject = `$JS.API.DIRECT.GET.${subjects.userStatusStream()}`;
    const request = { multi_last: users.map((user) => subjects.userStatus(user)), batch: users.length };
    const payload = encoder.encode(JSON.stringify(request));
    return this.#reads.collect({ subject, payload, deadlineMs: REQUEST_DEADLINE_MS }, (reply) => {
      if (reply.data.length === 0) return readEnd(reply, subject);
      const record = decodeStatus(reply.data);
      if (record !== undefined) found.set(record.user, record.status);
      return 'more';
    });
  }

  /** Makes the stream when there is none, and tries once more: what is done is the same when done twice. */
  async #withStream(act: () => Promise<unknown>): Promise<void> {
    if (this.#isClosed) throw new OperationalError('user_status_closed', 'closed', { retriable: false });
    try {
      await act();
    } catch (error) {
      if (!(error instanceof NoStreamError)) throw error;
      await this.#declare();
      await act();
    }
  }

  #declare(): Promise<void> {
    const { main, subjects } = this.#link;
    this.#declaring ??= declareStreams([streamConfig(subjects, this.#replicas)], {
      connection: main,
      subjects,
      log: this.#log,
      clock: this.#clock,
      deadlineMs: REQUEST_DEADLINE_MS,
      isCancelled: () => this.#isClosed,
    }).finally(() => {
      this.#declaring = undefined;
    });
    return this.#declaring;
  }
}

function streamConfig(subjects: NatsSubjects, replicas: number): StreamConfig {
  return {
    name: subjects.userStatusStream(),
    subjects: [subjects.userStatusSubjects()],
    retention: 'limits',
    discard: 'old',
    storage: 'file',
    num_replicas: replicas,
    allow_direct: true,
    allow_msg_ttl: true,
    max_msgs_per_subject: 1,
    max_msgs: MAX_USER_STATUSES,
  };
}

function ttlHeader(seconds: number): MsgHdrs {
  const header = headers();
  header.set('Nats-TTL', String(seconds));
  return header;
}

function encodeStatus(user: string, { active, state }: UserStatus): Uint8Array {
  return encoder.encode(JSON.stringify({ user, active, state }));
}

/** Undefined for what this version does not know. */
function decodeStatus(bytes: Uint8Array): { readonly user: string; readonly status: UserStatus } | undefined {
  const { user, active, state } = JSON.parse(decoder.decode(bytes)) as Record<string, unknown>;
  if (typeof user !== 'string' || typeof active !== 'number' || typeof state !== 'string') return undefined;
  return { user, status: { active, state } };
}

function readEnd(reply: Msg, subject: string): 'more' | 'last' {
  const code = reply.headers?.code ?? 0;
  // Without a status: the empty message of a status that was removed.
  if (code === 0) return 'more';
  if (code === 204 || code === 404) return 'last';
  if (code === 503) throw new NoStreamError(subject);
  throw new OperationalError('user_status_read', `NATS refused a read: ${code} ${reply.headers?.description ?? ''}`);
}
