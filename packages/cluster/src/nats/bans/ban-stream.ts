import { headers, type Msg } from '@nats-io/nats-core';
import { OperationalError } from '@carillon/service-kit';
import type { NatsSubjects } from '../nats-subjects.ts';
import type { StreamConfig } from '../nats-streams.ts';
import { asFields, NoStreamError, parseAnswer, requestStream, StreamRequestError } from '../presence/stream-request.ts';
import { copyOf } from '../request/direct-get.ts';
import { isNoResponders } from '../request/reply-inbox.ts';
import type { Requester } from '../request/requester.ts';
import { MAX_BANS } from '../../bans.ts';

/** Messages in one read: the server answers a read in one go. */
const PAGE_MESSAGES = 1_000;
/** What the server makes of a longer life does not fit its clock: such a message just stays. */
const MAX_TTL_S = 3_000_000_000;

/** One of JetStream's own codes. */
const NO_MESSAGE_FOUND = 10_037;

const encoder = new TextEncoder();

/** One message of the stream. */
export interface StoredRecord {
  readonly sequence: number;
  /** The reader's own. */
  readonly data: Uint8Array;
}

export interface StreamState {
  /** When the stream was made: another time is another stream. */
  readonly created: string;
  readonly lastSequence: number;
  readonly messages: number;
}

export interface BanStreamDeps {
  readonly subjects: NatsSubjects;
  readonly writes: Requester;
  /** On a connection of its own: the server runs reads inline on the connection that asks. */
  readonly reads: Requester;
  readonly deadlineMs: number;
}

/** One message per ban, on disk, gone when the ban ends; each that is stored is sent to all nodes. */
export function banStreamConfig(subjects: NatsSubjects, replicas: number): StreamConfig {
  return {
    name: subjects.banStream(),
    subjects: [subjects.banSubjects()],
    retention: 'limits',
    discard: 'new',
    storage: 'file',
    num_replicas: replicas,
    allow_direct: true,
    allow_msg_ttl: true,
    max_msgs_per_subject: 1,
    // Writers look at their own count; this is for many that do so at the same time.
    max_msgs: 2 * MAX_BANS,
    republish: { src: subjects.banSubjects(), dest: subjects.banDestination() },
  };
}

/** Reads and writes of the stream. All requests have the one deadline; all reject with OperationalErrors. */
export class BanStream {
  readonly #subjects: NatsSubjects;
  readonly #writes: Requester;
  readonly #reads: Requester;
  readonly #deadlineMs: number;
  readonly #stream: string;

  constructor({ subjects, writes, reads, deadlineMs }: BanStreamDeps) {
    this.#subjects = subjects;
    this.#writes = writes;
    this.#reads = reads;
    this.#deadlineMs = deadlineMs;
    this.#stream = subjects.banStream();
  }

  /** The sequence under which it was stored. `ttlS` of 0: it stays. */
  async write(token: string, payload: Uint8Array, ttlS: number): Promise<number> {
    const subject = this.#subjects.ban(token);
    const options = ttlS > 0 && ttlS <= MAX_TTL_S ? headers() : undefined;
    options?.set('Nats-TTL', String(Math.ceil(ttlS)));
    const reply = await this.#writes.request({ subject, payload, headers: options, deadlineMs: this.#deadlineMs });
    if (isNoResponders(reply)) throw new NoStreamError(subject);
    const sequence = parseAnswer(reply.data)['seq'];
    if (typeof sequence !== 'number') throw new OperationalError('bans_write', 'NATS did not say what it stored');
    return sequence;
  }

  /** Whether the leader of the stream has a record, be it of a removal. */
  async has(token: string): Promise<boolean> {
    const request = { last_by_subj: this.#subjects.ban(token) };
    try {
      await requestStream(this.#writes, `STREAM.MSG.GET.${this.#stream}`, request, this.#deadlineMs);
      return true;
    } catch (error) {
      if (error instanceof StreamRequestError && error.errCode === NO_MESSAGE_FOUND) return false;
      throw error;
    }
  }

  async state(): Promise<StreamState> {
    const answer = await requestStream(this.#writes, `STREAM.INFO.${this.#stream}`, {}, this.#deadlineMs);
    const { last_seq: last, messages } = asFields(answer['state']);
    return {
      created: String(answer['created']),
      lastSequence: typeof last === 'number' ? last : 0,
      messages: typeof messages === 'number' ? messages : 0,
    };
  }

  /** A page of what is stored from this sequence on, in order; an empty one when there is nothing (yet). */
  async readFrom(sequence: number): Promise<readonly StoredRecord[]> {
    const subject = `$JS.API.DIRECT.GET.${this.#stream}`;
    const request = { seq: sequence, next_by_subj: this.#subjects.banSubjects(), batch: PAGE_MESSAGES };
    const payload = encoder.encode(JSON.stringify(request));
    const found: StoredRecord[] = [];
    await this.#reads.collect({ subject, payload, deadlineMs: this.#deadlineMs }, (reply) => {
      if (reply.data.length === 0) return readEnd(reply, subject);
      found.push({ sequence: sequenceOf(reply), data: copyOf(reply.data) });
      return 'more';
    });
    return found;
  }
}

/** Of a message that was read, or of a copy that was sent when it was stored; 0 if it does not say. */
export function sequenceOf(message: Msg): number {
  return Number(message.headers?.get('Nats-Sequence') ?? 0);
}

function readEnd(reply: Msg, subject: string): 'last' {
  const code = reply.headers?.code ?? 0;
  if (code === 204 || code === 404) return 'last';
  if (code === 503) throw new NoStreamError(subject);
  throw new OperationalError('bans_read', `NATS refused a read: ${code} ${reply.headers?.description ?? ''}`);
}
