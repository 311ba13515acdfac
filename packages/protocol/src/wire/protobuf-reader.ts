import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { MAX_MESSAGE_DEPTH, zeroOf, type FieldPlan, type Fields, type MessagePlan } from './message-plan.ts';

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

const TWO_32 = 2 ** 32;
/** High halves from here on belong to what a number cannot hold exactly. */
const TWO_21 = 2 ** 21;

/** A place in some bytes, with the two halves of the varint read last. */
export class ProtobufCursor {
  readonly bytes: Buffer;
  position = 0;
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads a varint of up to 64 bits into {@link low} and {@link high}, both unsigned. */
  varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.position++];
      if (byte === undefined) break;
      const bits = byte & 0x7f;
      if (shift < 28) {
        low |= bits << shift;
      } else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else {
        high |= bits << (shift - 32);
      }
      if (byte < 0x80) {
        if (shift === 63 && byte > 1) break;
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new ProtocolViolation('a number is cut short or too long');
  }

  /** Reads a length and gives the end of what it measures. */
  delimitedEnd(limit: number): number {
    this.varint();
    const end = this.position + this.low;
    if (this.high !== 0 || end > limit) throw new ProtocolViolation('a length points past the end');
    return end;
  }
}

/** Reads one message. Unknown fields are skipped; of repeated scalars the last wins; repeated submessages are merged. */
export function readProtobufMessage(plan: MessagePlan, bytes: Uint8Array): Fields {
  return readMessage(plan, new ProtobufCursor(bytes), bytes.length, { ...plan.blank }, 1);
}

// Five things, since a cursor that carried the limit and the depth would have to be restored on each return.
// oxlint-disable-next-line max-params
function readMessage(plan: MessagePlan, cursor: ProtobufCursor, end: number, message: Fields, depth: number): Fields {
  if (depth > MAX_MESSAGE_DEPTH) throw new ProtocolViolation('messages are nested too deep');
  while (cursor.position < end) {
    cursor.varint();
    const wireType = cursor.low & 7;
    const number = cursor.low >>> 3;
    if (number === 0 || cursor.high !== 0) throw new ProtocolViolation('a field has no legal number');
    const field = plan.byNumber.get(number);
    if (field === undefined) skip(cursor, wireType, end);
    else readField(field, cursor, { wireType, end, depth }, message);
  }
  if (cursor.position !== end) throw new ProtocolViolation('a field reaches past its message');
  return message;
}

interface Surroundings {
  readonly wireType: number;
  readonly end: number;
  readonly depth: number;
}

function readField(field: FieldPlan, cursor: ProtobufCursor, around: Surroundings, message: Fields): void {
  if (field.cardinality === 'map') {
    message[field.name] = readMapEntry(field, cursor, around, message[field.name] as Fields | undefined);
    return;
  }
  if (field.cardinality === 'list') {
    const list = (message[field.name] ?? []) as unknown[];
    list.push(readValue(field, cursor, around, undefined));
    message[field.name] = list;
    return;
  }
  const value = readValue(field, cursor, around, message[field.name]);
  message[field.name] = isZeroScalar(value) ? undefined : value;
}

function isZeroScalar(value: unknown): boolean {
  return value === 0 || value === '' || value === false || (value instanceof Uint8Array && value.length === 0);
}

function readMapEntry(
  field: FieldPlan,
  cursor: ProtobufCursor,
  around: Surroundings,
  existing: Fields | undefined,
): Fields {
  expectWireType(around.wireType, DELIMITED);
  const end = cursor.delimitedEnd(around.end);
  let key = '';
  let value: unknown;
  while (cursor.position < end) {
    cursor.varint();
    const wireType = cursor.low & 7;
    const number = cursor.low >>> 3;
    if (number === 0 || cursor.high !== 0) throw new ProtocolViolation('a field has no legal number');
    if (number === 1) key = readText(cursor, wireType, end);
    else if (number === 2) value = readValue(field, cursor, { wireType, end, depth: around.depth }, value);
    else skip(cursor, wireType, end);
  }
  if (cursor.position !== end) throw new ProtocolViolation('a field reaches past its message');
  // Without a prototype, so that keys like "__proto__" or "constructor" are keys like any other.
  const map = existing ?? (Object.create(null) as Fields);
  map[key] = value ?? (field.kind === 'message' ? {} : zeroOf(field.kind));
  return map;
}

function readValue(field: FieldPlan, cursor: ProtobufCursor, around: Surroundings, existing: unknown): unknown {
  switch (field.kind) {
    case 'string':
      return readText(cursor, around.wireType, around.end);
    case 'bytes': {
      expectWireType(around.wireType, DELIMITED);
      const end = cursor.delimitedEnd(around.end);
      const start = cursor.position;
      cursor.position = end;
      return new Uint8Array(cursor.bytes.buffer, cursor.bytes.byteOffset + start, end - start);
    }
    case 'message': {
      expectWireType(around.wireType, DELIMITED);
      if (field.message === undefined) throw new TypeError(`${field.key} has no plan`);
      const end = cursor.delimitedEnd(around.end);
      const target = (existing ?? { ...field.message.blank }) as Fields;
      return readMessage(field.message, cursor, end, target, around.depth + 1);
    }
    case 'double':
      expectWireType(around.wireType, FIXED64);
      advance(cursor, 8, around.end);
      return cursor.bytes.readDoubleLE(cursor.position - 8);
    default:
      expectWireType(around.wireType, VARINT);
      cursor.varint();
      return field.isExact && cursor.high >= TWO_21
        ? BigInt(cursor.high) * BigInt(TWO_32) + BigInt(cursor.low)
        : integerOf(field.kind, cursor.low, cursor.high);
  }
}

function readText(cursor: ProtobufCursor, wireType: number, limit: number): string {
  expectWireType(wireType, DELIMITED);
  const end = cursor.delimitedEnd(limit);
  const text = cursor.bytes.toString('utf8', cursor.position, end);
  cursor.position = end;
  return text;
}

/** 32-bit kinds keep the low half, as every Protobuf implementation does; 64-bit ones are clamped to ±(2^53 − 1). */
function integerOf(kind: FieldPlan['kind'], low: number, high: number): number | boolean {
  switch (kind) {
    case 'bool':
      return low !== 0 || high !== 0;
    case 'int32':
      return low | 0;
    case 'uint32':
      return low;
    case 'int64':
      return clamped((high | 0) * TWO_32 + low);
    case 'sint64': {
      const magnitude = (high >>> 1) * TWO_32 + (((low >>> 1) | (high << 31)) >>> 0);
      return clamped((low & 1) === 0 ? magnitude : -magnitude - 1);
    }
    default:
      return clamped(high * TWO_32 + low);
  }
}

function clamped(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
  return value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : value;
}

function expectWireType(found: number, expected: number): void {
  if (found !== expected) throw new ProtocolViolation('a field has the wrong wire type');
}

function advance(cursor: ProtobufCursor, count: number, end: number): void {
  cursor.position += count;
  if (cursor.position > end) throw new ProtocolViolation('a field reaches past its message');
}

function skip(cursor: ProtobufCursor, wireType: number, end: number): void {
  if (wireType === VARINT) cursor.varint();
  else if (wireType === FIXED64) advance(cursor, 8, end);
  else if (wireType === FIXED32) advance(cursor, 4, end);
  else if (wireType === DELIMITED) cursor.position = cursor.delimitedEnd(end);
  else throw new ProtocolViolation('a field has an unknown wire type');
}
