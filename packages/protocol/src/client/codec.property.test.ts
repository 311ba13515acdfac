import { create, fromBinary, toBinary, type DescMessage, type Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { CommandSchema, PushSchema, ReplySchema, file_client } from '../gen/client_pb.ts';
import { compileCodec } from '../wire/message-codec.ts';
import { planMessage, type FieldPlan, type Fields, type MessagePlan } from '../wire/message-plan.ts';
import { jsonCodec } from './json-codec.ts';
import { protobufCodec } from './protobuf-codec.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const json = (value: unknown): Uint8Array => text(JSON.stringify(value));

/** Random messages of a type, in the form decoders give: no zero scalars, no empty lists, no empty maps. */
function arbitraryMessage(plan: MessagePlan, depth = 0): fc.Arbitrary<Fields> {
  const shape: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of plan.fields) {
    if (field.kind === 'message' && depth >= 3) continue;
    shape[field.name] = arbitraryField(field, depth);
  }
  return fc.record(shape, { requiredKeys: [] });
}

function arbitraryField(field: FieldPlan, depth: number): fc.Arbitrary<unknown> {
  const value = arbitraryValue(field, depth);
  if (field.cardinality === 'list') return fc.array(value, { minLength: 1, maxLength: 3 });
  if (field.cardinality === 'map') return fc.dictionary(unicode(), value, { minKeys: 1, maxKeys: 3 });
  return value.filter((it) => it !== 0 && it !== '' && it !== false);
}

const unicode = (): fc.Arbitrary<string> => fc.string({ unit: 'binary', maxLength: 40 });

function arbitraryValue(field: FieldPlan, depth: number): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'string':
      return fc.oneof(unicode(), fc.string({ minLength: 120, maxLength: 300 }));
    case 'bool':
      return fc.boolean();
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.nat(2 ** 32 - 1);
    case 'uint64':
      return fc.maxSafeNat();
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'bytes':
      return fc.jsonValue({ depthSize: 'small', maxDepth: 3 }).map(json);
    case 'message':
      return arbitraryMessage(field.message!, depth + 1);
    default:
      return fc.maxSafeInteger();
  }
}

/** The same message for the generated runtime, which is the judge of ours. */
function forRuntime(plan: MessagePlan, message: Fields): Fields {
  const result: Fields = {};
  const convert = (field: FieldPlan, value: unknown): unknown => {
    if (field.kind === 'message') return forRuntime(field.message!, value as Fields);
    return ['int64', 'uint64', 'sint64'].includes(field.kind) ? BigInt(value as number) : value;
  };
  for (const field of plan.fields) {
    const value = message[field.name];
    if (value === undefined) continue;
    if (field.cardinality === 'list') {
      result[field.name] = (value as unknown[]).map((element) => convert(field, element));
    } else if (field.cardinality === 'map') {
      const map = Object.create(null) as Fields;
      for (const [key, entry] of Object.entries(value as Fields)) map[key] = convert(field, entry);
      result[field.name] = map;
    } else result[field.name] = convert(field, value);
  }
  return result;
}

function messagesOf(): DescMessage[] {
  return file_client.messages;
}

describe.each(messagesOf().map((desc) => [desc.name, desc] as const))('%s', (_, desc) => {
  const schema = desc as GenMessage<Message>;
  const plan = planMessage(desc, {});
  const codec = compileCodec(schema, { json: 'client' });
  const apiCodec = compileCodec(schema, { json: 'api' });

  it('comes back from JSON and from Protobuf as it went in', () => {
    fc.assert(
      fc.property(arbitraryMessage(plan), (message) => {
        expect(codec.readJson(codec.writeJson(message))).toEqual(message);
        const parsed = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));
        expect(parsed(apiCodec.writeJson(message))).toEqual(parsed(codec.writeJson(message)));
        expect(parsed(codec.writeJson(apiCodec.readJson(codec.writeJson(message))))).toEqual(
          parsed(codec.writeJson(message)),
        );
        expect(codec.readProtobuf(codec.writeProtobuf(message))).toEqual(message);
        expect([...codec.readDelimited(codec.writeDelimited(message))]).toEqual([message]);
      }),
      { numRuns: 25 },
    );
  });

  it('is the same Protobuf that the generated runtime reads and writes', () => {
    fc.assert(
      fc.property(arbitraryMessage(plan), (message) => {
        const runtime = create(schema, forRuntime(plan, message) as never);
        expect(codec.readProtobuf(toBinary(schema, runtime))).toEqual(message);
        expect(fromBinary(schema, codec.writeProtobuf(message))).toEqual(runtime);
      }),
      { numRuns: 20 },
    );
  });

  it('is written as JSON that JSON.parse reads', () => {
    fc.assert(
      fc.property(arbitraryMessage(plan), (message) => {
        const written = new TextDecoder().decode(codec.writeJson(message));
        const keys = plan.fields.filter((field) => message[field.name] !== undefined).map((field) => field.key);
        expect(Object.keys(JSON.parse(written) as object)).toEqual(keys);
        expect(written).not.toContain('\n');
      }),
      { numRuns: 20 },
    );
  });
});

/** What a function throws may only be ProtocolViolation. */
function throwsNothingElse(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
  }
}

function mutate(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const mutated = Uint8Array.from(bytes);
  for (const [position, byte] of changes) {
    if (mutated.length > 0) mutated[position % mutated.length] = byte;
  }
  return mutated;
}

const changes = (): fc.Arbitrary<(readonly [number, number])[]> =>
  fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
const commandPlan = planMessage(CommandSchema, {});
const commandCodec = compileCodec(CommandSchema, { json: 'client' });

describe('decoders', () => {
  it('take arbitrary bytes and throw only ProtocolViolation', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const codec of [jsonCodec, protobufCodec]) throwsNothingElse(() => void [...codec.commands(bytes)]);
      }),
      { numRuns: 2000 },
    );
  });

  it('take damaged frames and throw only ProtocolViolation', () => {
    fc.assert(
      fc.property(fc.array(arbitraryMessage(commandPlan), { maxLength: 3 }), changes(), (commands, damage) => {
        const lines = jsonCodec.joinFrame(commands.map((command) => commandCodec.writeJson(command)));
        const delimited = protobufCodec.joinFrame(commands.map((command) => commandCodec.writeDelimited(command)));
        throwsNothingElse(() => void [...jsonCodec.commands(mutate(lines, damage))]);
        throwsNothingElse(() => void [...protobufCodec.commands(mutate(delimited, damage))]);
      }),
      { numRuns: 500 },
    );
  });

  it('accept of a JSON object exactly what JSON.parse accepts, when no field is known', () => {
    const chars = fc.constantFrom(...'{}[]",:\\u0eE+-.123 truefalsnl\t\r\u00e9'.split(''));
    const almostJson = fc.oneof(
      fc.array(chars, { maxLength: 12 }).map((all) => `{"x":${all.join('')}}`),
      fc.tuple(fc.json(), fc.nat(), chars).map(([value, at, char]) => {
        const whole = `{"x":${value}}`;
        const cut = at % whole.length;
        return whole.slice(0, cut) + char + whole.slice(cut + 1);
      }),
    );
    const strict = compileCodec(CommandSchema, { json: 'api' });
    fc.assert(
      fc.property(almostJson, (candidate) => {
        let expected: unknown;
        try {
          expected = JSON.parse(candidate);
        } catch {
          expected = undefined;
        }
        const isObject = typeof expected === 'object' && expected !== null && !Array.isArray(expected);
        let isAccepted = true;
        try {
          strict.readJson(text(candidate));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolViolation);
          isAccepted = false;
        }
        expect(isAccepted).toBe(isObject);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('frames of several messages', () => {
  it('hold the same messages in the same order', () => {
    const plan = planMessage(ReplySchema, {});
    const reply = compileCodec(ReplySchema, { json: 'client' });
    fc.assert(
      fc.property(fc.array(arbitraryMessage(plan), { minLength: 1, maxLength: 5 }), (replies) => {
        const frame = protobufCodec.joinFrame(replies.map((it) => protobufCodec.encodeReply(it)));
        expect([...reply.readDelimited(frame)]).toEqual(replies);
      }),
      { numRuns: 50 },
    );
  });

  it('holds bare pushes without a length in Protobuf', () => {
    const push = compileCodec(PushSchema, { json: 'client' });
    const encoded = protobufCodec.encodePush({ channel: 'a', join: {} });
    expect(push.readProtobuf(encoded)).toEqual({ channel: 'a', join: {} });
  });
});
