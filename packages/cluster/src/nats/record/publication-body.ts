// One publication as bytes: inside a log record, in a live message, in a write request. No offset: its place tells it.
import type { ClientInfo, Publication } from '@carillon/protocol/client';
import type { TraceContext } from '@carillon/service-kit/tracing';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Tells publications apart that say the same: made by who publishes, kept with it. Two unsigned 32-bit numbers. */
export interface Nonce {
  readonly writer: number;
  readonly serial: number;
}

export interface PublicationBody {
  readonly nonce: Nonce;
  readonly data: Uint8Array;
  readonly info?: ClientInfo | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** 0: none. A bigint beyond 2^53 − 1. */
  readonly version: number | bigint;
  readonly isDelta: boolean;
  /** Where the trace of the publish is to go on; only where it is sampled. */
  readonly trace?: TraceContext | undefined;
}

const HAS_INFO = 1;
const HAS_TAGS = 2;
const HAS_VERSION = 4;
const IS_DELTA = 8;
/** The trace comes behind the last body of the message, where nodes that do not know of it never look. */
const HAS_TRACE = 16;

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** Stands for a trace that is still to come. */
const UNREAD: TraceContext = { traceId: '', spanId: '', isSampled: false };
const NO_BODIES: readonly PublicationBody[] = [];

/** The one body of a message that ends with it. */
export function writeLastBody(out: ByteWriter, body: PublicationBody): void {
  writeBody(out, body);
  if (body.trace !== undefined) writeTrace(out, body.trace);
}

/** All bodies of a message, which end it. */
export function writeBodies(out: ByteWriter, bodies: readonly PublicationBody[]): void {
  let hasTraces = false;
  for (const body of bodies) {
    writeBody(out, body);
    hasTraces ||= body.trace !== undefined;
  }
  if (!hasTraces) return;
  for (const { trace } of bodies) if (trace !== undefined) writeTrace(out, trace);
}

/** What `writeLastBody` wrote. Throws ProtocolViolation. */
export function readLastBody(reader: ByteReader): PublicationBody {
  const body = readBody(reader);
  return body.trace === UNREAD ? { ...body, trace: readTrace(reader) } : body;
}

/** What `writeBodies` wrote. Throws ProtocolViolation. */
export function readBodies(reader: ByteReader, count: number): readonly PublicationBody[] {
  if (count === 0) return NO_BODIES;
  // Nearly all of them; a list that grows takes room for many.
  if (count === 1) return [readLastBody(reader)];
  const bodies: PublicationBody[] = [];
  let hasTraces = false;
  for (let index = 0; index < count; index++) {
    const body = readBody(reader);
    hasTraces ||= body.trace === UNREAD;
    bodies.push(body);
  }
  if (!hasTraces) return bodies;
  return bodies.map((body) => (body.trace === UNREAD ? { ...body, trace: readTrace(reader) } : body));
}

function writeBody(out: ByteWriter, body: PublicationBody): void {
  const tags = body.tags === undefined ? [] : Object.entries(body.tags);
  out.u32(body.nonce.writer);
  out.u32(body.nonce.serial);
  out.u8(
    (body.info === undefined ? 0 : HAS_INFO) |
      (tags.length === 0 ? 0 : HAS_TAGS) |
      (body.version === 0 ? 0 : HAS_VERSION) |
      (body.isDelta ? IS_DELTA : 0) |
      (body.trace === undefined ? 0 : HAS_TRACE),
  );
  out.bytes(body.data);
  if (body.info !== undefined) writeInfo(out, body.info);
  if (tags.length > 0) {
    out.varint(tags.length);
    for (const [name, value] of tags) {
      out.text(name);
      out.text(value);
    }
  }
  if (body.version !== 0) out.varint64(body.version);
}

function readBody(reader: ByteReader): PublicationBody {
  const nonce = { writer: reader.u32(), serial: reader.u32() };
  const flags = reader.u8();
  const data = reader.bytes();
  const info = (flags & HAS_INFO) === 0 ? undefined : readInfo(reader);
  const tags = (flags & HAS_TAGS) === 0 ? undefined : readTags(reader);
  const version = (flags & HAS_VERSION) === 0 ? 0 : reader.varint64();
  const trace = (flags & HAS_TRACE) === 0 ? undefined : UNREAD;
  return { nonce, data, info, tags, version, isDelta: (flags & IS_DELTA) !== 0, trace };
}

function writeTrace(out: ByteWriter, { traceId, spanId }: TraceContext): void {
  out.raw(Buffer.from(traceId, 'hex'));
  out.raw(Buffer.from(spanId, 'hex'));
}

function readTrace(reader: ByteReader): TraceContext {
  const traceId = reader.raw(TRACE_ID_BYTES).toString('hex');
  return { traceId, spanId: reader.raw(SPAN_ID_BYTES).toString('hex'), isSampled: true };
}

export function writeInfo(out: ByteWriter, info: ClientInfo): void {
  out.text(info.user ?? '');
  out.text(info.client ?? '');
  writeOptionalBytes(out, info.connInfo);
  writeOptionalBytes(out, info.chanInfo);
}

export function readInfo(reader: ByteReader): ClientInfo {
  const user = reader.text();
  const client = reader.text();
  const connInfo = readOptionalBytes(reader);
  const chanInfo = readOptionalBytes(reader);
  return {
    ...(user === '' ? {} : { user }),
    ...(client === '' ? {} : { client }),
    ...(connInfo === undefined ? {} : { connInfo }),
    ...(chanInfo === undefined ? {} : { chanInfo }),
  };
}

/** As the client protocol names it; `offset` 0 stands for outside the stream. */
export function toPublication(body: PublicationBody, offset: number): Publication {
  const publication: { -readonly [K in keyof Publication]: Publication[K] } = { data: body.data, offset };
  if (body.info !== undefined) publication.info = body.info;
  if (body.tags !== undefined) publication.tags = body.tags;
  if (body.version !== 0) publication.version = body.version;
  return publication;
}

export function isSameNonce(a: Nonce, b: Nonce): boolean {
  return a.writer === b.writer && a.serial === b.serial;
}

function readTags(reader: ByteReader): Record<string, string> {
  const entries: [string, string][] = [];
  for (let left = reader.varint(); left > 0; left--) entries.push([reader.text(), reader.text()]);
  // Not by assignment: a tag may be called __proto__.
  return Object.fromEntries(entries);
}

/** On this wire absent and empty are the same. */
function writeOptionalBytes(out: ByteWriter, value: Uint8Array | undefined): void {
  if (value === undefined) out.varint(0);
  else out.bytes(value);
}

function readOptionalBytes(reader: ByteReader): Uint8Array | undefined {
  const value = reader.bytes();
  return value.length === 0 ? undefined : value;
}
