import { ProtocolViolation } from '@carillon/protocol/codes';
import { InvalidPayload } from '@carillon/protocol/wire';
import type { Log } from '@carillon/service-kit';
import { BAD_REQUEST, INTERNAL_SERVER_ERROR, type Answer } from './answer.ts';

/** What a request is answered that an endpoint could not answer. */
export function failureAnswer(error: unknown, log: Log): Answer {
  if (error instanceof ProtocolViolation) return BAD_REQUEST;
  // compat: binary data cannot be read over HTTP (server-api §2).
  if (!(error instanceof InvalidPayload)) log.error('cannot answer an API request', { error });
  return INTERNAL_SERVER_ERROR;
}
