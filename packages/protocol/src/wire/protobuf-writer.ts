import type { ByteSink } from './byte-sink.ts';
import { checkedInteger, isZero } from './json-writer.ts';
import type { FieldPlan, Fields, MessagePlan } from './message-plan.ts';

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;

/** Fields in order of declaration, zero values left out, submessages that are set written even when empty (P1). */
export function writeProtobufMessage(plan: MessagePlan, message: Fields, sink: ByteSink): void {
  for (const field of plan.fields) {
    const value = message[field.name];
    if (isZero(field, value)) continue;
    if (field.cardinality === 'single') writeValue(field, field.number, value, sink);
    else if (field.cardinality === 'list') {
      for (const element of value as readonly unknown[]) writeValue(field, field.number, element, sink);
    } else writeMap(field, value as Fields, sink);
  }
}

function writeMap(field: FieldPlan, map: Fields, sink: ByteSink): void {
  for (const key of Object.keys(map)) {
    sink.varint((field.number << 3) | DELIMITED);
    const start = sink.beginDelimited();
    writeText(1, key, sink);
    writeValue(field, 2, map[key], sink);
    sink.endDelimited(start);
  }
}

function writeText(number: number, text: string, sink: ByteSink): void {
  sink.varint((number << 3) | DELIMITED);
  const start = sink.beginDelimited();
  sink.text(text);
  sink.endDelimited(start);
}

function writeValue(field: FieldPlan, number: number, value: unknown, sink: ByteSink): void {
  switch (field.kind) {
    case 'string':
      return writeText(number, value as string, sink);
    case 'bytes':
      sink.varint((number << 3) | DELIMITED);
      sink.varint((value as Uint8Array).length);
      return sink.append(value as Uint8Array);
    case 'message': {
      if (field.message === undefined) throw new TypeError(`${field.key} has no plan`);
      sink.varint((number << 3) | DELIMITED);
      const start = sink.beginDelimited();
      writeProtobufMessage(field.message, value as Fields, sink);
      return sink.endDelimited(start);
    }
    case 'double':
      sink.varint((number << 3) | FIXED64);
      return sink.double(value as number);
    case 'bool':
      sink.varint((number << 3) | VARINT);
      return sink.byte(value === true ? 1 : 0);
    default:
      sink.varint((number << 3) | VARINT);
      return writeInteger(field, checkedInteger(field, value), sink);
  }
}

function writeInteger(field: FieldPlan, value: number | bigint, sink: ByteSink): void {
  if (typeof value === 'bigint') {
    sink.bigVarint(value);
  } else if (field.kind === 'sint64') {
    // Zig-zag of a safe integer needs up to 54 bits, one more than a number holds exactly.
    sink.bigVarint(value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value));
  } else if (value < 0) {
    // Two's complement in 64 bits, for 32-bit fields too.
    sink.bigVarint(BigInt.asUintN(64, BigInt(value)));
  } else {
    sink.varint(value);
  }
}
