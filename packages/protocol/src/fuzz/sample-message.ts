import type { DescMessage } from '@bufbuild/protobuf';
import { planMessage, type FieldPlan, type Fields, type MessagePlan } from '../wire/message-plan.ts';
import type { Random } from './random.ts';

/** Deeper messages of a message are left out. */
const MAX_DEPTH = 3;
const MAX_ELEMENTS = 3;
const TEXTS: readonly string[] = ['a', 'news', 'ü', '😀', '"\\\n', 'x'.repeat(130), '$user:#1', '__proto__'];
const PAYLOADS: readonly Uint8Array[] = ['{}', '"text"', '{"a":[1,2,{"b":null}]}', '12', '[true]'].map((text) =>
  new TextEncoder().encode(text),
);
const WHOLE_NUMBERS: readonly number[] = [1, 127, 128, 300, 65_536, 2 ** 31 - 1];

/** A message with some of its fields set, as its codec writes it. */
export function sampleMessage(desc: DescMessage, random: Random): Fields {
  return sampleOf(planMessage(desc, {}), random, 0);
}

function sampleOf(plan: MessagePlan, random: Random, depth: number): Fields {
  const message: Fields = {};
  for (const field of plan.fields) {
    if (random(2) === 0 || (field.kind === 'message' && depth >= MAX_DEPTH)) continue;
    message[field.name] = fieldSample(field, random, depth);
  }
  return message;
}

function fieldSample(field: FieldPlan, random: Random, depth: number): unknown {
  if (field.cardinality === 'single') return valueSample(field, random, depth);
  const values = Array.from({ length: 1 + random(MAX_ELEMENTS) }, () => valueSample(field, random, depth));
  if (field.cardinality === 'list') return values;
  return Object.fromEntries(values.map((value, at) => [`${at}${pick(TEXTS, random)}`, value]));
}

function valueSample({ kind, message }: FieldPlan, random: Random, depth: number): unknown {
  switch (kind) {
    case 'message':
      return message === undefined ? {} : sampleOf(message, random, depth + 1);
    case 'string':
      return pick(TEXTS, random);
    case 'bytes':
      return pick(PAYLOADS, random);
    case 'bool':
      return true;
    case 'double':
      return random(1000) / 8;
    default:
      return pick(WHOLE_NUMBERS, random);
  }
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[random(items.length)];
  if (item === undefined) throw new RangeError('there is nothing to choose from');
  return item;
}
