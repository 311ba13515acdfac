// A publication on its way to the node that owns its channel, and the answer.
import { ProtocolViolation } from '@carillon/protocol/codes';
import type { PublishResult, Retention } from '../../broker.ts';
import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readLastBody, writeLastBody, type PublicationBody } from './publication-body.ts';

export interface WriteRequest {
  readonly channel: string;
  readonly retention: Retention;
  /** Undefined: take the key for a publication outside the stream, or drop the history where there is no key. */
  readonly body?: PublicationBody | undefined;
  /** Empty: none. */
  readonly idempotencyKey: string;
  readonly versionEpoch: string;
  /** Wall clock of the sender, ms. */
  readonly sentAt: number;
  /** Time for the owner from `sentAt` on, ms: it must not begin to write later, since the sender then writes itself. */
  readonly deadlineMs: number;
}

export type WriteAnswer =
  | { readonly kind: 'done'; readonly result: PublishResult }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly isRetriable: boolean };

const REQUEST_FORMAT = 0x22;
const ANSWER_DONE = 0x31;
const ANSWER_FAILED = 0x32;
const SUPPRESSIONS = [undefined, 'idempotency', 'version'] as const;

const OPERATION_REMOVE = 0;
const OPERATION_PUBLISH = 1;
const OPERATION_CLAIM = 2;

function operationOf({ body, idempotencyKey }: Pick<WriteRequest, 'body' | 'idempotencyKey'>): number {
  if (body !== undefined) return OPERATION_PUBLISH;
  return idempotencyKey === '' ? OPERATION_REMOVE : OPERATION_CLAIM;
}

export function writeWriteRequest(out: ByteWriter, request: WriteRequest): void {
  out.u8(REQUEST_FORMAT);
  out.varint(request.sentAt);
  out.varint(request.deadlineMs);
  out.text(request.channel);
  out.varint(request.retention.historySize);
  out.varint(request.retention.historyTtlMs);
  out.varint(request.retention.historyMetaTtlMs);
  out.text(request.idempotencyKey);
  out.text(request.versionEpoch);
  out.u8(operationOf(request));
  if (request.body !== undefined) writeLastBody(out, request.body);
}

/** Throws ProtocolViolation. */
export function readWriteRequest(bytes: Uint8Array): WriteRequest {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== REQUEST_FORMAT) throw new ProtocolViolation('not a write request of a known version');
  const sentAt = reader.varint();
  const deadlineMs = reader.varint();
  const channel = reader.text();
  const retention: Retention = {
    historySize: reader.varint(),
    historyTtlMs: reader.varint(),
    historyMetaTtlMs: reader.varint(),
  };
  const idempotencyKey = reader.text();
  const versionEpoch = reader.text();
  const operation = reader.u8();
  const body = operation === OPERATION_PUBLISH ? readLastBody(reader) : undefined;
  if (operation !== operationOf({ body, idempotencyKey })) throw new ProtocolViolation('not an operation of a log');
  return { channel, retention, body, idempotencyKey, versionEpoch, sentAt, deadlineMs };
}

export function writeWriteAnswer(out: ByteWriter, answer: WriteAnswer): void {
  if (answer.kind === 'done') {
    out.u8(ANSWER_DONE);
    out.varint(answer.result.position.offset);
    out.text(answer.result.position.epoch);
    out.u8(SUPPRESSIONS.indexOf(answer.result.suppressed));
    return;
  }
  out.u8(ANSWER_FAILED);
  out.text(answer.code);
  out.text(answer.message);
  out.u8(answer.isRetriable ? 1 : 0);
}

/** Throws ProtocolViolation. */
export function readWriteAnswer(bytes: Uint8Array): WriteAnswer {
  const reader = new ByteReader(bytes);
  switch (reader.u8()) {
    case ANSWER_DONE: {
      const position = { offset: reader.varint(), epoch: reader.text() };
      const suppressed = SUPPRESSIONS[reader.u8()];
      return { kind: 'done', result: suppressed === undefined ? { position } : { position, suppressed } };
    }
    case ANSWER_FAILED:
      return { kind: 'failed', code: reader.text(), message: reader.text(), isRetriable: reader.u8() === 1 };
    default:
      throw new ProtocolViolation('not an answer to a write request');
  }
}
