// Appends to streams and hears the acknowledgements: the thin publisher of architecture §2.1.
import type { Msg } from '@nats-io/nats-core';
import { OperationalError } from '@carillon/service-kit';
import type { NatsLink } from '../nats-connection.ts';
import { ByteWriter } from '../record/byte-writer.ts';
import { writeLogRecord, type LogRecord } from '../record/log-record.ts';
import { readStoredAck } from './stored-ack.ts';
import { isNoResponders, type ReplyHandler, type ReplyInbox } from './reply-inbox.ts';

export interface AppendMessage {
  readonly subject: string;
  /** A record is encoded when it is sent, and each time. */
  readonly content: Uint8Array | LogRecord;
  /** Of the last message of the subject, or of the filter; 0: there is none. */
  readonly expectedSequence: number;
  /** Compares all subjects that match instead of the message's own. */
  readonly filter?: string | undefined;
  /** 0: the stream's own age limit counts. */
  readonly ttlSeconds: number;
  /** Header-safe; undefined: not looked for among recent messages. */
  readonly messageId?: string | undefined;
}

export type AppendOutcome =
  | { readonly kind: 'stored'; readonly sequence: number }
  /** The stream has had a message of this id: nothing was stored, `sequence` is the first one's. */
  | { readonly kind: 'duplicate'; readonly sequence: number }
  /** Another record came first. */
  | { readonly kind: 'conflict' };

/** `wrong last sequence`, and its form without the number that replicated streams give. */
const WRONG_LAST_SEQUENCE: ReadonlySet<number> = new Set([10_071, 10_164]);

/** Called exactly once for each append. Must not throw. */
export interface AppendHandler {
  onOutcome(outcome: AppendOutcome): void;
  /** `isInDoubt`: it may have been stored nevertheless, or still be. */
  onFailure(error: OperationalError, isInDoubt: boolean): void;
}

export interface LogPublisherDependencies {
  readonly link: NatsLink;
  readonly inbox: ReplyInbox;
  /** Called on every append that no stream took. */
  readonly onNoStream: () => void;
}

export class LogPublisher {
  readonly #link: NatsLink;
  readonly #inbox: ReplyInbox;
  readonly #out: ByteWriter = new ByteWriter();
  readonly #onNoStream: () => void;

  constructor({ link, inbox, onNoStream }: LogPublisherDependencies) {
    this.#link = link;
    this.#inbox = inbox;
    this.#onNoStream = onNoStream;
  }

  append(message: AppendMessage, timeoutMs: number, handler: AppendHandler): void {
    let reply: string | undefined;
    try {
      reply = this.#inbox.open(new AckHandler(handler, this.#onNoStream), timeoutMs);
      const { subject, content } = message;
      this.#link.send({ subject, payload: this.#encoded(content), reply, headers: headerLines(message) });
    } catch (error) {
      if (reply !== undefined) this.#inbox.forget(reply);
      handler.onFailure(asOperational(error), false);
    }
  }

  #encoded(content: Uint8Array | LogRecord): Uint8Array | ByteWriter {
    if (content instanceof Uint8Array) return content;
    // What an earlier message left that could not be sent.
    this.#out.clear();
    writeLogRecord(this.#out, content);
    return this.#out;
  }
}

function headerLines(message: AppendMessage): string {
  const id = message.messageId === undefined ? '' : `Nats-Msg-Id: ${message.messageId}\r\n`;
  const ttl = message.ttlSeconds === 0 ? '' : `Nats-TTL: ${message.ttlSeconds}\r\n`;
  const filter =
    message.filter === undefined ? '' : `Nats-Expected-Last-Subject-Sequence-Subject: ${message.filter}\r\n`;
  return `Nats-Expected-Last-Subject-Sequence: ${message.expectedSequence}\r\n${filter}${ttl}${id}`;
}

class AckHandler implements ReplyHandler {
  readonly #handler: AppendHandler;
  readonly #onNoStream: () => void;

  constructor(handler: AppendHandler, onNoStream: () => void) {
    this.#handler = handler;
    this.#onNoStream = onNoStream;
  }

  onReply(message: Msg): boolean {
    const stored = readStoredAck(message.data);
    if (stored !== 0) {
      this.#handler.onOutcome({ kind: 'stored', sequence: stored });
      return false;
    }
    if (isNoResponders(message)) {
      this.#onNoStream();
      this.#handler.onFailure(new OperationalError('nats_no_stream', 'no stream answers for the log'), false);
      return false;
    }
    const ack = parseAck(message.data);
    if (ack.errorCode !== 0) {
      if (WRONG_LAST_SEQUENCE.has(ack.errorCode)) this.#handler.onOutcome({ kind: 'conflict' });
      else {
        const error = new OperationalError(
          'nats_append',
          `the log refused a record: ${ack.description} (${ack.errorCode})`,
        );
        this.#handler.onFailure(error, false);
      }
    } else this.#handler.onOutcome({ kind: ack.isDuplicate ? 'duplicate' : 'stored', sequence: ack.sequence });
    return false;
  }

  onFailure(error: OperationalError): void {
    this.#handler.onFailure(error, true);
  }
}

interface Ack {
  readonly sequence: number;
  readonly isDuplicate: boolean;
  /** 0: none. */
  readonly errorCode: number;
  readonly description: string;
}

interface WireAck {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly err_code?: number; readonly code?: number; readonly description?: string };
}

function parseAck(bytes: Uint8Array): Ack {
  let wire: WireAck;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    wire = JSON.parse(text) as WireAck;
  } catch {
    return { sequence: 0, isDuplicate: false, errorCode: -1, description: 'the acknowledgement is not JSON' };
  }
  if (wire.error !== undefined) {
    const { err_code: errorCode, code, description } = wire.error;
    return { sequence: 0, isDuplicate: false, errorCode: errorCode ?? code ?? -1, description: description ?? '' };
  }
  return { sequence: wire.seq ?? 0, isDuplicate: wire.duplicate === true, errorCode: 0, description: '' };
}

/** What the client library throws on a publish: too large a payload, a connection that is closed. */
export function asOperational(error: unknown): OperationalError {
  if (error instanceof OperationalError) return error;
  const isTooLarge = error instanceof Error && error.message.includes('max_payload');
  return isTooLarge
    ? new OperationalError('nats_too_large', 'larger than the NATS servers take (max_payload)', {
        cause: error,
        retriable: false,
      })
    : new OperationalError('nats_publish', 'NATS did not take a message', { cause: error });
}
