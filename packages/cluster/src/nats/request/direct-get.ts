// Reads single messages of streams by subject: on the connection for reads, from any replica, or from the leader.
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { OperationalError, type Clock } from '@carillon/service-kit';
import { isNoResponders, ReplyInbox } from './reply-inbox.ts';

export interface StoredMessage {
  readonly sequence: number;
  /** The reader's own. */
  readonly data: Uint8Array;
}

export interface DirectGetDependencies {
  readonly connection: NatsConnection;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Subjects in one request: the server answers at most 1,024, and runs each request in one go. */
const MAX_SUBJECTS = 256;

/** Rejects with an OperationalError: no answer in time, no such stream, no leader. */
export class DirectGet {
  readonly #connection: NatsConnection;
  readonly #inbox: ReplyInbox;
  readonly #timeoutMs: number;

  constructor({ connection, clock, timeoutMs }: DirectGetDependencies) {
    this.#connection = connection;
    this.#inbox = new ReplyInbox({ connection, clock });
    this.#timeoutMs = timeoutMs;
  }

  /** The last message of a subject or filter as some replica has it, perhaps a little behind. */
  last(stream: string, subject: string): Promise<StoredMessage | undefined> {
    return this.#one(`$JS.API.DIRECT.GET.${stream}`, `{"last_by_subj":${JSON.stringify(subject)}}`);
  }

  /** As {@link last} for who needs no sequence: spares the headers, which cost more than all the rest. */
  async lastData(stream: string, subject: string): Promise<Uint8Array | undefined> {
    const message = await this.#ask(`$JS.API.DIRECT.GET.${stream}`, `{"last_by_subj":${JSON.stringify(subject)}}`);
    // Stored messages are never empty, a status always is.
    if (message.data.length > 0) return copyOf(message.data);
    if (message.headers?.code === 404) return undefined;
    throw refused(message);
  }

  /** The last message of a subject or filter as the leader of the stream has it. Dearer: keep it for doubts. */
  lastFromLeader(stream: string, subject: string): Promise<StoredMessage | undefined> {
    return this.#fromLeader(stream, `{"last_by_subj":${JSON.stringify(subject)}}`);
  }

  /** The message of a sequence, as {@link lastFromLeader}. */
  atFromLeader(stream: string, sequence: number): Promise<StoredMessage | undefined> {
    return this.#fromLeader(stream, `{"seq":${sequence}}`);
  }

  async #fromLeader(stream: string, request: string): Promise<StoredMessage | undefined> {
    const message = await this.#ask(`$JS.API.STREAM.MSG.GET.${stream}`, request);
    const answer = JSON.parse(message.string()) as WireMessageAnswer;
    if (answer.error !== undefined) {
      if (answer.error.err_code === NO_MESSAGE_FOUND || answer.error.code === 404) return undefined;
      throw new OperationalError('nats_read', `NATS refused a read: ${answer.error.description ?? ''}`);
    }
    if (answer.message === undefined) return undefined;
    return { sequence: answer.message.seq, data: Buffer.from(answer.message.data ?? '', 'base64') };
  }

  /** The last message of each subject, in order of sequence; of some replica, as {@link last}. */
  async lastOfEach(stream: string, subjects: readonly string[]): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    await this.#each(stream, subjects, (message) => found.push(copyOf(message.data)));
    return found;
  }

  /** As {@link lastOfEach}, by subject: dearer, since the subject is in a header. */
  async lastBySubject(stream: string, subjects: readonly string[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    await this.#each(stream, subjects, (message) => {
      found.set(message.headers?.get('Nats-Subject') ?? '', copyOf(message.data));
    });
    return found;
  }

  /** The oldest of the last messages of the subjects of a filter, at most so many, in order of sequence; as {@link last}. */
  async oldestOfEach(stream: string, filter: string, limit: number): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    await this.#chunk(stream, { subjects: [filter], limit }, (message) => found.push(copyOf(message.data)));
    return found;
  }

  async #each(stream: string, subjects: readonly string[], visit: (message: Msg) => void): Promise<void> {
    const chunks: Promise<void>[] = [];
    for (let start = 0; start < subjects.length; start += MAX_SUBJECTS) {
      const chunk = subjects.slice(start, start + MAX_SUBJECTS);
      chunks.push(this.#chunk(stream, { subjects: chunk, limit: chunk.length }, visit));
    }
    await Promise.all(chunks);
  }

  close(): void {
    this.#inbox.close();
  }

  async #one(api: string, request: string): Promise<StoredMessage | undefined> {
    const message = await this.#ask(api, request);
    const code = message.headers?.code ?? 0;
    if (code === 404) return undefined;
    if (code !== 0) throw refused(message);
    return {
      sequence: Number(message.headers?.get('Nats-Sequence') ?? 0),
      data: copyOf(message.data),
    };
  }

  #ask(api: string, request: string): Promise<Msg> {
    return new Promise((resolve, reject) => {
      const onReply = (message: Msg): boolean => {
        if (isNoResponders(message)) reject(noStream(api));
        else resolve(message);
        return false;
      };
      this.#send(api, request, { onReply, onFailure: reject });
    });
  }

  #chunk(
    stream: string,
    { subjects, limit }: { readonly subjects: readonly string[]; readonly limit: number },
    visit: (message: Msg) => void,
  ): Promise<void> {
    const api = `$JS.API.DIRECT.GET.${stream}`;
    const request = `{"batch":${limit},"multi_last":${JSON.stringify(subjects)}}`;
    return new Promise((resolve, reject) => {
      const onReply = (message: Msg): boolean => {
        // Stored messages are never empty: no need to parse headers to know one.
        if (message.data.length > 0) {
          visit(message);
          return true;
        }
        const code = message.headers?.code ?? 0;
        if (code === 204 || code === 404) resolve();
        else reject(code === 503 ? noStream(api) : refused(message));
        return false;
      };
      this.#send(api, request, { onReply, onFailure: reject });
    });
  }

  #send(
    api: string,
    request: string,
    handler: { onReply: (message: Msg) => boolean; onFailure: (error: OperationalError) => void },
  ): void {
    let reply: string | undefined;
    try {
      reply = this.#inbox.open(handler, this.#timeoutMs);
      this.#connection.publish(api, request, { reply });
    } catch (cause) {
      if (reply !== undefined) this.#inbox.forget(reply);
      handler.onFailure(
        cause instanceof OperationalError ? cause : new OperationalError('nats_read', 'NATS took no read', { cause }),
      );
    }
  }
}

const NO_MESSAGE_FOUND = 10_037;

interface WireMessageAnswer {
  readonly error?: { readonly code?: number; readonly err_code?: number; readonly description?: string };
  readonly message?: { readonly seq: number; readonly data?: string };
}

/** Messages are views of a whole chunk of the socket: keeping one would keep 64 KiB. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes);
}

function refused(message: Msg): OperationalError {
  const { code, description } = message.headers ?? { code: 0, description: 'no status' };
  return new OperationalError('nats_read', `NATS refused a read: ${code} ${description}`);
}

function noStream(api: string): OperationalError {
  return new OperationalError('nats_no_stream', `no stream answers at ${api}`);
}
