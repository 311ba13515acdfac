import { OperationalError } from '@carillon/service-kit';
import { isNoResponders } from '../request/reply-inbox.ts';
import type { Requester } from '../request/requester.ts';

/** One of JetStream's own codes (`err_code`). */
export const STREAM_NAME_IN_USE = 10_058;

/** JetStream refused a request. */
export class StreamRequestError extends OperationalError {
  readonly errCode: number;

  constructor(errCode: number, description: string) {
    super('jetstream_refused', `JetStream refused: ${description} (${errCode})`);
    this.errCode = errCode;
  }
}

/** Nobody takes the request: JetStream is away, or there is no such stream. */
export class NoStreamError extends OperationalError {
  constructor(subject: string) {
    super('jetstream_no_stream', `nobody takes ${subject}`);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One request to the API of JetStream (`$JS.API.…`). Rejects with a {@link StreamRequestError} when it is refused. */
export async function requestStream(
  inbox: Requester,
  operation: string,
  body: object,
  deadlineMs: number,
): Promise<Record<string, unknown>> {
  const subject = `$JS.API.${operation}`;
  const reply = await inbox.request({ subject, payload: encoder.encode(JSON.stringify(body)), deadlineMs });
  if (isNoResponders(reply)) throw new NoStreamError(subject);
  return parseAnswer(reply.data);
}

/** The answer's fields; throws a {@link StreamRequestError} when they tell of an error. */
export function parseAnswer(bytes: Uint8Array): Record<string, unknown> {
  const answer: unknown = JSON.parse(decoder.decode(bytes));
  const fields = asFields(answer);
  if (fields['error'] === undefined) return fields;
  const { err_code: errCode, description } = asFields(fields['error']);
  throw new StreamRequestError(typeof errCode === 'number' ? errCode : 0, String(description));
}

/** The fields of an object; none for anything else. */
export function asFields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
