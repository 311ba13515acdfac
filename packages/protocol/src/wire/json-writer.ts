import type { ByteSink } from './byte-sink.ts';
import { zeroOf, type FieldPlan, type Fields, type MessagePlan } from './message-plan.ts';
import { appendCompacted, escapedJsonString, withoutNewlines } from './raw-json.ts';

/** How text and payloads are written. */
export interface JsonWriting {
  string(text: string): string;
  payload(sink: ByteSink, payload: Uint8Array): void;
  /** The keys of a map in the order in which they are written. */
  keys(map: Fields): readonly string[];
}

/** For client connections: payloads verbatim but for newlines; that they are JSON is the caller's business. */
export const CLIENT_JSON: JsonWriting = {
  string: escapedJsonString,
  payload: (sink, payload) => sink.append(withoutNewlines(payload)),
  keys: Object.keys,
};

/**
 * For API results and proxy requests: payloads compacted and escaped; one that is not JSON throws InvalidPayload.
 * compat: maps in the order of their keys, as the reference writes them.
 */
export const API_JSON: JsonWriting = {
  string: escapedJsonString,
  payload: appendCompacted,
  keys: (map) => inByteOrder(Object.keys(map)),
};

/** Characters of which UTF-16 needs two: only texts with them are ordered otherwise than in UTF-8. */
const SURROGATE = /[\ud800-\udfff]/;

/** Sorts texts in place by their bytes in UTF-8. */
export function inByteOrder(texts: string[]): string[] {
  if (texts.length < 2) return texts;
  texts.sort();
  if (!texts.some((text) => SURROGATE.test(text))) return texts;
  return texts.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Zero values are left out unless the plan says otherwise; a submessage that is set is written even when empty (J2–J4). */
export function writeJsonMessage(plan: MessagePlan, message: Fields, writing: JsonWriting, sink: ByteSink): void {
  sink.byte(0x7b);
  let isFirst = true;
  for (const field of plan.fields) {
    const value = message[field.name];
    if (isOmitted(field, value)) continue;
    if (!isFirst) sink.byte(0x2c);
    isFirst = false;
    sink.text(field.keyText);
    writeField(field, value, writing, sink);
  }
  sink.byte(0x7d);
}

function isOmitted(field: FieldPlan, value: unknown): boolean {
  return !field.isAlwaysPresent && isZero(field, value);
}

/** Whether a field has the value that absence means. */
export function isZero(field: FieldPlan, value: unknown): boolean {
  if (value === undefined || value === 0 || value === '' || value === false) return true;
  if (field.cardinality === 'list') return (value as readonly unknown[]).length === 0;
  if (field.cardinality === 'map') return isEmptyObject(value as Fields);
  return field.kind === 'bytes' && (value as Uint8Array).length === 0;
}

function isEmptyObject(object: Fields): boolean {
  for (const key in object) {
    if (Object.hasOwn(object, key)) return false;
  }
  return true;
}

function writeField(field: FieldPlan, value: unknown, writing: JsonWriting, sink: ByteSink): void {
  if (field.cardinality === 'list') writeList(field, (value ?? []) as readonly unknown[], writing, sink);
  else if (field.cardinality === 'map') writeMap(field, (value ?? {}) as Fields, writing, sink);
  else writeValue(field, value ?? zeroOf(field.kind), writing, sink);
}

function writeList(field: FieldPlan, list: readonly unknown[], writing: JsonWriting, sink: ByteSink): void {
  sink.byte(0x5b);
  let isFirst = true;
  for (const value of list) {
    if (!isFirst) sink.byte(0x2c);
    isFirst = false;
    writeValue(field, value, writing, sink);
  }
  sink.byte(0x5d);
}

function writeMap(field: FieldPlan, map: Fields, writing: JsonWriting, sink: ByteSink): void {
  sink.byte(0x7b);
  let isFirst = true;
  for (const key of writing.keys(map)) {
    if (!isFirst) sink.byte(0x2c);
    isFirst = false;
    sink.text(writing.string(key));
    sink.byte(0x3a);
    writeValue(field, map[key], writing, sink);
  }
  sink.byte(0x7d);
}

function writeValue(field: FieldPlan, value: unknown, writing: JsonWriting, sink: ByteSink): void {
  switch (field.kind) {
    case 'string':
      return sink.text(writing.string(value as string));
    case 'bool':
      return sink.text(value === true ? 'true' : 'false');
    case 'bytes':
      return writing.payload(sink, value as Uint8Array);
    case 'double':
      if (!Number.isFinite(value)) throw new RangeError(`${field.key} is not a finite number`);
      return sink.text(String(value));
    case 'message':
      if (field.message === undefined) throw new TypeError(`${field.key} has no plan`);
      return writeJsonMessage(field.message, value as Fields, writing, sink);
    default:
      return sink.text(String(checkedInteger(field, value)));
  }
}

const UNSIGNED: ReadonlySet<string> = new Set(['uint32', 'uint64']);

const MAX_UINT64 = 2n ** 64n - 1n;

/** The value, if a JSON number and a varint can both carry it exactly. */
export function checkedInteger(field: FieldPlan, value: unknown): number | bigint {
  if (typeof value === 'bigint' && field.isExact && value >= 0n && value <= MAX_UINT64) return value;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || (value < 0 && UNSIGNED.has(field.kind))) {
    throw new RangeError(`${field.key} cannot be ${String(value)}`);
  }
  return value;
}
