// What a message of the log stream and on a live subject holds. Binary, no headers needed.
import { ProtocolViolation } from '@carillon/protocol/codes';
import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readBodies, writeBodies, type PublicationBody } from './publication-body.ts';

/** Everything that is known of a channel's stream at its newest record. Each record carries all of it. */
export interface LogState {
  readonly epoch: string;
  /** Offset of the newest publication; 0 before the first. */
  readonly offset: number;
  /** Oldest offset that readers may see, at most `offset` + 1: size, expiry and removal move it up. */
  readonly floor: number;
  /** Records with publications so far, whatever their epoch: the newest one's number. A mark does not count. */
  readonly index: number;
  /** Modulus of the ring: the record of index n is at slot n mod `slots`. */
  readonly slots: number;
  /** First record of the ring of that modulus, and first offset; older ones are in the ring of `previousSlots`, unless that is 0. */
  readonly ringIndex: number;
  readonly ringSince: number;
  readonly previousSlots: number;
  /** When the channel was last published to, read or touched, ms since 1970: meta ttl runs from here. */
  readonly writtenAt: number;
  /** How long epoch and offset live after that, ms, as who wrote the record had it configured. */
  readonly metaTtlMs: number;
  /** When the newest publication was stored, ms since 1970: history ttl runs from here. 0: there is none. */
  readonly publishedAt: number;
  /** No record with publications lives longer, ms since 1970. */
  readonly expiresAt: number;
  /** Stored version; 0: none. */
  readonly version: number | bigint;
  readonly versionEpoch: string;
}

export interface LogRecord {
  readonly state: LogState;
  /** The publications up to and including `state.offset`, oldest first; none: only the state changed. */
  readonly bodies: readonly PublicationBody[];
}

/** Kind and version of the format in the first byte of every message. */
export const KIND_LOG = 0x15;
export const KIND_LIVE = 0x12;
export const KIND_JOIN = 0x13;
export const KIND_LEAVE = 0x14;

/** Publications in one record. */
export const MAX_BATCH = 64;

export function writeLogRecord(out: ByteWriter, { state, bodies }: LogRecord): void {
  out.u8(KIND_LOG);
  out.text(state.epoch);
  out.varint(state.offset);
  out.varint(bodies.length);
  out.varint(state.offset + 1 - state.floor);
  out.varint(state.index);
  out.varint(state.slots);
  out.varint(state.index + 1 - state.ringIndex);
  out.varint(state.offset + 1 - state.ringSince);
  out.varint(state.previousSlots);
  out.varint(state.writtenAt);
  out.varint(state.metaTtlMs);
  out.varint(state.publishedAt);
  out.varint(state.expiresAt);
  out.varint64(state.version);
  if (state.version !== 0) out.text(state.versionEpoch);
  writeBodies(out, bodies);
}

/** Throws ProtocolViolation on anything else. Data are views of `bytes`. */
export function readLogRecord(bytes: Uint8Array): LogRecord {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== KIND_LOG) throw new ProtocolViolation('not a log record of a known version');
  const epoch = reader.text();
  const offset = reader.varint();
  const count = reader.varint();
  const floor = offset + 1 - reader.varint();
  const index = reader.varint();
  const slots = reader.varint();
  const ringIndex = index + 1 - reader.varint();
  const ringSince = offset + 1 - reader.varint();
  const previousSlots = reader.varint();
  const writtenAt = reader.varint();
  const metaTtlMs = reader.varint();
  const publishedAt = reader.varint();
  const expiresAt = reader.varint();
  const version = reader.varint64();
  const versionEpoch = version === 0 ? '' : reader.text();
  if (count > MAX_BATCH || count > offset || slots < 1 || floor < 0 || epoch === '') {
    throw new ProtocolViolation('log record contradicts itself');
  }
  const bodies = readBodies(reader, count);
  const state: LogState = {
    epoch,
    offset,
    floor,
    index,
    slots,
    ringIndex,
    ringSince,
    previousSlots,
    writtenAt,
    metaTtlMs,
    publishedAt,
    expiresAt,
    version,
    versionEpoch,
  };
  return { state, bodies };
}

/** Offset of the first publication of a record; `offset` + 1 when it has none. */
export function firstOffset(record: LogRecord): number {
  return record.state.offset - record.bodies.length + 1;
}
