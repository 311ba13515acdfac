import type { ProxyConfig } from '@carillon/config';
import type { Decision } from '@carillon/policy';

import type { BackendMethod, ReplyEnvelope } from '../backend/backend.ts';

/** How one kind of event is asked about: what goes to the backend, what its reply means. Both pure. */
export interface ProxyRule<Message, Result> {
  readonly method: BackendMethod<Message, Result>;
  prepare(message: Message, options: QuestionOptions): Message;
  decide(reply: ReplyEnvelope<Result>): Decision<Result>;
}

/** The options of a proxy that shape its questions (proxy.md §2.1, §3.3). */
export type QuestionOptions = Pick<ProxyConfig, 'binaryEncoding' | 'includeConnectionMeta'>;

interface Encoded {
  readonly encoding?: string | undefined;
}

interface WithPayload extends Encoded {
  readonly data?: Uint8Array | undefined;
  readonly b64data?: string | undefined;
}

interface WithMeta {
  readonly meta?: Uint8Array | undefined;
}

export function withEncoding<Message extends Encoded>(message: Message, options: QuestionOptions): Message {
  return { ...message, encoding: options.binaryEncoding ? 'binary' : 'json' };
}

/** Binary: the payload goes as base64 and `data` is absent, over gRPC too. */
export function withPayload<Message extends WithPayload>(message: Message, options: QuestionOptions): Message {
  const { data } = message;
  if (!options.binaryEncoding || data === undefined) return withEncoding(message, options);
  return { ...message, encoding: 'binary', data: undefined, b64data: Buffer.from(data).toString('base64') };
}

export function withAllowedMeta<Message extends WithMeta>(message: Message, options: QuestionOptions): Message {
  return options.includeConnectionMeta || message.meta === undefined ? message : { ...message, meta: undefined };
}

/** `disconnect` wins over `error`, which wins over `result` (proxy.md §3.4). */
export function decideReply<Result>({ disconnect, error, result }: ReplyEnvelope<Result>): Decision<Result> {
  if (disconnect !== undefined) {
    const { code = 0, reason = '' } = disconnect;
    // No client could make sense of code 0, and it is what a backend sends that left the code out.
    return code === 0 ? { kind: 'failed', reason: 'disconnect without a code' } : { kind: 'disconnect', code, reason };
  }
  if (error !== undefined) {
    const { code = 0, message = '', temporary = false } = error;
    // compat: an error that names no code reaches the client without one.
    return { kind: 'error', code, message, temporary };
  }
  return { kind: 'result', result };
}

/** refresh and sub_refresh look at nothing but the result: without one the connection or subscription has expired. */
export function decideByResultAlone<Result>({ result }: ReplyEnvelope<Result>): Decision<Result> {
  return { kind: 'result', result };
}
