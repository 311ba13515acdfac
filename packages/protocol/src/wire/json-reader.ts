import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { JsonScanner } from './json-scanner.ts';
import { MAX_MESSAGE_DEPTH, zeroOf, type FieldPlan, type Fields, type MessagePlan } from './message-plan.ts';

/** How strictly the end of the document is taken. */
export interface JsonReading {
  /** compat: whatever follows the first value of a line is ignored on client connections (client-protocol.md §1.3.2). */
  readonly allowsTrailing: boolean;
}

/**
 * Reads one message. Wrong JSON types are violations; unknown keys are ignored; of equal keys the last wins.
 * compat: a null leaves what an equal key before it has set, and messages and maps of equal keys are merged.
 */
export function readJsonMessage(plan: MessagePlan, json: Uint8Array, reading: JsonReading): Fields {
  const scanner = new JsonScanner(json);
  const message = readMessage(plan, scanner, 1);
  if (!reading.allowsTrailing && !scanner.isAtEnd()) throw new ProtocolViolation('something follows the value');
  return message;
}

/** Reads messages that stand one after the other, with any whitespace between them, one by one as the caller asks. */
export function* readJsonMessages(plan: MessagePlan, json: Uint8Array): Generator<Fields> {
  const scanner = new JsonScanner(json);
  while (!scanner.isAtEnd()) yield readMessage(plan, scanner, 1);
}

function readMessage(plan: MessagePlan, scanner: JsonScanner, depth: number, existing?: Fields): Fields {
  if (depth > MAX_MESSAGE_DEPTH) throw new ProtocolViolation('messages are nested too deep');
  const message: Fields = existing ?? { ...plan.blank };
  if (scanner.takeNull() || !scanner.openObject()) return message;
  do {
    const field = scanner.takeOneOf(plan.fields) ?? findField(plan, scanner.readString());
    scanner.takeColon();
    if (field === undefined) scanner.skipValue();
    else message[field.name] = readField(field, scanner, depth, message[field.name]);
  } while (scanner.nextMember());
  return message;
}

/** compat: without regard to case, an exact match first (server-api.md §2). */
function findField(plan: MessagePlan, key: string): FieldPlan | undefined {
  return plan.byKey.get(key) ?? plan.byFoldedKey.get(key.toLowerCase());
}

/** The value of a field, or undefined when it is zero (see Wire). `existing`: what an equal key before it has set. */
function readField(field: FieldPlan, scanner: JsonScanner, depth: number, existing: unknown): unknown {
  // A null payload is a payload of four bytes (J12); a null anything else is no value at all.
  if (field.kind === 'bytes') return readRaw(scanner);
  if (scanner.takeNull()) return field.cardinality === 'single' && field.kind !== 'message' ? existing : undefined;
  if (field.cardinality === 'list') return readList(field, scanner, depth);
  if (field.cardinality === 'map') return readMap(field, scanner, depth, existing as Fields | undefined);
  const value = readValue(field, scanner, depth, existing);
  return value === 0 || value === '' || value === false ? undefined : value;
}

function readList(field: FieldPlan, scanner: JsonScanner, depth: number): unknown {
  if (!scanner.openArray()) return undefined;
  const list: unknown[] = [];
  do {
    list.push(scanner.takeNull() ? zeroOf(field.kind) : readValue(field, scanner, depth));
  } while (scanner.nextElement());
  return list;
}

function readMap(field: FieldPlan, scanner: JsonScanner, depth: number, existing: Fields | undefined): unknown {
  if (!scanner.openObject()) return existing;
  // Without a prototype, so that keys like "__proto__" or "constructor" are keys like any other.
  const map = existing ?? (Object.create(null) as Fields);
  do {
    const key = scanner.readString();
    scanner.takeColon();
    map[key] = scanner.takeNull() ? zeroOf(field.kind) : readValue(field, scanner, depth);
  } while (scanner.nextMember());
  return map;
}

function readRaw(scanner: JsonScanner): Uint8Array {
  scanner.peek();
  const start = scanner.offset;
  scanner.skipValue();
  return scanner.since(start);
}

function readValue(field: FieldPlan, scanner: JsonScanner, depth: number, existing?: unknown): unknown {
  switch (field.kind) {
    case 'string':
      return scanner.readString();
    case 'bool':
      return scanner.readBoolean();
    case 'int32':
      return scanner.readInt32();
    case 'uint32':
      return scanner.readUint32();
    case 'int64':
    case 'sint64':
      return scanner.readInt64();
    case 'uint64':
      return field.isExact ? scanner.readExactUint64() : scanner.readUint64();
    case 'double':
      return scanner.readDouble();
    case 'bytes':
      return readRaw(scanner);
    case 'message':
      if (field.message === undefined) throw new TypeError(`${field.key} has no plan`);
      return readMessage(field.message, scanner, depth + 1, existing as Fields | undefined);
  }
}
