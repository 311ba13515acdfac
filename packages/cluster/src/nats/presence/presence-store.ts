import type { Msg, MsgHdrs } from '@nats-io/nats-core';
import { OperationalError } from '@carillon/service-kit';
import type { NatsSubjects } from '../nats-subjects.ts';
import { RawHeaders } from '../request/raw-headers.ts';
import { isNoResponders } from '../request/reply-inbox.ts';
import type { Requester } from '../request/requester.ts';
import {
  asFields,
  NoStreamError,
  parseAnswer,
  requestStream,
  STREAM_NAME_IN_USE,
  StreamRequestError,
} from './stream-request.ts';

/** What the server answers to one multi-subject read at most. */
const MAX_SUBJECTS_PER_READ = 1_024;
/** Of the subjects named in one read: well below the megabyte that a message may have. */
const MAX_READ_REQUEST_BYTES = 256 * 1_024;
/** How long a removed entry takes to go for good, s: the shortest that the server knows. */
const REMOVAL_TTL = '1';
/** How each acknowledgement that tells of no error begins. */
const STORED = Buffer.from('{"stream"');

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

export interface PresenceStoreDeps {
  readonly subjects: NatsSubjects;
  readonly writes: Requester;
  /** On a connection of its own: the server runs reads inline on the connection that asks. */
  readonly reads: Requester;
  readonly replicas: number;
  readonly deadlineMs: number;
}

/**
 * The stream of presence entries: in memory, one message per subject. What is read are raw entries; who counts as
 * present, and whether the stream lost something, is for others to say. All requests have the one deadline.
 */
export class PresenceStore {
  readonly #subjects: NatsSubjects;
  readonly #writes: Requester;
  readonly #reads: Requester;
  readonly #replicas: number;
  readonly #deadlineMs: number;
  readonly #stream: string;
  readonly #removal: RawHeaders = new RawHeaders(`Nats-TTL: ${REMOVAL_TTL}\r\n`);

  constructor({ subjects, writes, reads, replicas, deadlineMs }: PresenceStoreDeps) {
    this.#subjects = subjects;
    this.#writes = writes;
    this.#reads = reads;
    this.#replicas = replicas;
    this.#deadlineMs = deadlineMs;
    this.#stream = subjects.presenceStream();
  }

  /** Makes the stream unless there is one. */
  async declare(): Promise<void> {
    const config = {
      name: this.#stream,
      subjects: [this.#subjects.presenceSubjects()],
      storage: 'memory',
      retention: 'limits',
      discard: 'old',
      max_msgs_per_subject: 1,
      num_replicas: this.#replicas,
      allow_direct: true,
      allow_msg_ttl: true,
    };
    try {
      await requestStream(this.#writes, `STREAM.CREATE.${this.#stream}`, config, this.#deadlineMs);
    } catch (error) {
      // There is one with another configuration, such as more replicas: it serves as well.
      if (!(error instanceof StreamRequestError && error.errCode === STREAM_NAME_IN_USE)) throw error;
    }
  }

  /** Resolves when stored; rejects with a {@link NoStreamError} when there is no stream. */
  put(subject: string, entry: Uint8Array): Promise<void> {
    return this.#write(subject, entry, undefined);
  }

  /**
   * Not by a purge of the subject: an empty message that goes by itself costs the server 40 µs of CPU instead of 60, and
   * stays in order with the writes before and after it. Only the last one is acknowledged, since one connection's writes
   * are stored in their order; a rejection means that any of them may not have been.
   */
  remove(...subjects: readonly string[]): Promise<void> {
    const last = subjects.at(-1);
    if (last === undefined) return Promise.resolve();
    try {
      for (const subject of subjects.slice(0, -1)) this.#writes.tell(subject, NOTHING, { headers: this.#removal });
    } catch (cause) {
      if (cause instanceof OperationalError) return Promise.reject(cause);
      return Promise.reject(new OperationalError('nats_publish', 'can not remove presence', { cause }));
    }
    return this.#write(last, NOTHING, this.#removal);
  }

  /** The sequence of the newest message. */
  async lastSequence(): Promise<number> {
    const answer = await requestStream(this.#writes, `STREAM.INFO.${this.#stream}`, {}, this.#deadlineMs);
    const last = asFields(answer['state'])['last_seq'];
    return typeof last === 'number' ? last : 0;
  }

  /** Drops what matches and is not newer than `upToSequence`. */
  async purge(filter: string, upToSequence?: number): Promise<void> {
    const request = upToSequence === undefined ? { filter } : { filter, seq: upToSequence + 1 };
    await requestStream(this.#writes, `STREAM.PURGE.${this.#stream}`, request, this.#deadlineMs);
  }

  /** Hands over each entry that matches the filter, any number of them; a {@link NoStreamError} without a stream. */
  async read(filter: string, onEntry: (entry: Uint8Array) => void): Promise<void> {
    const isComplete = await this.#readSubjects([filter], onEntry);
    if (isComplete) return;
    // More than one read may answer: ask for the names, then for so many at a time.
    for (const names of pageNames(await this.#names(filter))) await this.#readSubjects(names, onEntry);
  }

  #write(subject: string, payload: Uint8Array, headers: MsgHdrs | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onReply = (reply: Msg): boolean => {
        try {
          assertStored(reply, subject);
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        return false;
      };
      this.#writes.ask({ subject, payload, headers, deadlineMs: this.#deadlineMs }, { onReply, onFailure: reject });
    });
  }

  /** False when more subjects match than the server answers at once; nothing was handed over then. */
  async #readSubjects(names: readonly string[], onEntry: (entry: Uint8Array) => void): Promise<boolean> {
    let isComplete = true;
    let from = 0;
    // A second turn only where the entries are more bytes than the server sends at once.
    for (let hasMore = true; hasMore;) {
      hasMore = false;
      const payload = encoder.encode(JSON.stringify({ multi_last: names, ...(from === 0 ? {} : { seq: from }) }));
      const subject = `$JS.API.DIRECT.GET.${this.#stream}`;
      await this.#reads.collect({ subject, payload, deadlineMs: this.#deadlineMs }, (reply) => {
        if (reply.data.length > 0) {
          onEntry(reply.data);
          return 'more';
        }
        const end = readEnd(reply, subject);
        if (end === undefined) return 'more';
        isComplete = end.isComplete;
        hasMore = end.isComplete && end.nextSequence > from;
        from = end.nextSequence;
        return 'last';
      });
    }
    return isComplete;
  }

  /** Whether the stream has an entry of any of these subjects; a {@link NoStreamError} without a stream. */
  async hasAny(subjects: readonly string[]): Promise<boolean> {
    let isThere = false;
    for (const names of pageNames(subjects)) {
      await this.#readSubjects(names, () => {
        isThere = true;
      });
    }
    return isThere;
  }

  async #names(filter: string): Promise<string[]> {
    const names: string[] = [];
    for (;;) {
      const request = { subjects_filter: filter, offset: names.length };
      const answer = await requestStream(this.#reads, `STREAM.INFO.${this.#stream}`, request, this.#deadlineMs);
      const page = Object.keys(asFields(asFields(answer['state'])['subjects']));
      names.push(...page);
      const total = answer['total'];
      if (page.length === 0 || typeof total !== 'number' || names.length >= total) return names;
    }
  }
}

/** Throws what is wrong with the answer to a write. */
function assertStored(reply: Msg, subject: string): void {
  const { data } = reply;
  if (isNoResponders(reply)) throw new NoStreamError(subject);
  // To parse an acknowledgement costs as much as to send a write.
  if (!STORED.every((byte, index) => data[index] === byte)) parseAnswer(data);
}

/** How a read ended; undefined for a message without content in the middle of it: a removed entry. */
function readEnd(reply: Msg, subject: string): { isComplete: boolean; nextSequence: number } | undefined {
  const code = reply.headers?.code ?? 0;
  switch (code) {
    case 0:
      return undefined;
    case 204: {
      const isCut = Number(reply.headers?.get('Nats-Num-Pending')) > 0;
      return { isComplete: true, nextSequence: isCut ? Number(reply.headers?.get('Nats-Last-Sequence')) + 1 : 0 };
    }
    case 404:
      return { isComplete: true, nextSequence: 0 };
    case 413:
      return { isComplete: false, nextSequence: 0 };
    case 503:
      throw new NoStreamError(subject);
    default:
      throw new OperationalError('jetstream_read', `${code} ${reply.headers?.description ?? ''}`);
  }
}

function pageNames(names: readonly string[]): string[][] {
  const pages: string[][] = [];
  let page: string[] = [];
  let pageBytes = 0;
  for (const name of names) {
    if (page.length >= MAX_SUBJECTS_PER_READ || pageBytes + name.length > MAX_READ_REQUEST_BYTES) {
      pages.push(page);
      page = [];
      pageBytes = 0;
    }
    page.push(name);
    pageBytes += name.length + 3;
  }
  if (page.length > 0) pages.push(page);
  return pages;
}
