// What is fanned out beside the log: publications without history, joins, leaves. They share the live subject with log
// records; the first byte tells them apart.
import { ProtocolViolation } from '@carillon/protocol/codes';
import type { ClientInfo } from '@carillon/protocol/client';
import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { KIND_JOIN, KIND_LEAVE, KIND_LIVE, KIND_LOG, readLogRecord, type LogRecord } from './log-record.ts';
import { readInfo, readLastBody, writeInfo, writeLastBody, type PublicationBody } from './publication-body.ts';

export type LiveMessage =
  | { readonly kind: 'log'; readonly record: LogRecord }
  | { readonly kind: 'publication'; readonly body: PublicationBody; readonly publishedAt: number }
  | { readonly kind: 'join' | 'leave'; readonly info: ClientInfo };

export function writeLivePublication(out: ByteWriter, body: PublicationBody, publishedAt: number): void {
  out.u8(KIND_LIVE);
  out.varint(publishedAt);
  writeLastBody(out, body);
}

/** Of the node that sends a join or leave; see {@link isChangeOf}. */
export const ORIGIN_BYTES = 8;

export function writePresenceChange(
  out: ByteWriter,
  { kind, info, origin }: { readonly kind: 'join' | 'leave'; readonly info: ClientInfo; readonly origin: Uint8Array },
): void {
  out.u8(kind === 'join' ? KIND_JOIN : KIND_LEAVE);
  writeInfo(out, info);
  out.raw(origin);
}

/** Whether this is a join or leave that the node with this origin sent. Spares that node the reading. */
export function isChangeOf(origin: Buffer, bytes: Uint8Array): boolean {
  const kind = bytes[0];
  if ((kind !== KIND_JOIN && kind !== KIND_LEAVE) || bytes.length <= ORIGIN_BYTES) return false;
  return origin.compare(bytes, bytes.length - ORIGIN_BYTES) === 0;
}

/** Throws ProtocolViolation on anything else. Data are views of `bytes`. */
export function readLiveMessage(bytes: Uint8Array): LiveMessage {
  if (bytes[0] === KIND_LOG) return { kind: 'log', record: readLogRecord(bytes) };
  const reader = new ByteReader(bytes);
  switch (reader.u8()) {
    case KIND_LIVE: {
      const publishedAt = reader.varint();
      return { kind: 'publication', publishedAt, body: readLastBody(reader) };
    }
    case KIND_JOIN:
      return { kind: 'join', info: readInfo(reader) };
    case KIND_LEAVE:
      return { kind: 'leave', info: readInfo(reader) };
    default:
      throw new ProtocolViolation('not a live message of a known version');
  }
}
