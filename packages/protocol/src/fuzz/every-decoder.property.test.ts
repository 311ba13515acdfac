import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { beforeAll, describe, expect, it } from 'vitest';
import { legacyCommands } from '../api/legacy-commands.ts';
import { compileFilter, validateFilter } from '../channel/tags-filter.ts';
import { decodeReplies } from '../client/client-side.ts';
import type { ClientCodec } from '../client/codec.ts';
import { decodeConnectRequest, decodeEmulationRequest, emulationFrame } from '../client/emulation.ts';
import { jsonCodec } from '../client/json-codec.ts';
import { protobufCodec } from '../client/protobuf-codec.ts';
import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { file_api } from '../gen/api_pb.ts';
import {
  CommandSchema,
  ConnectRequestSchema,
  EmulationRequestSchema,
  FilterNodeSchema,
  ReplySchema,
  file_client,
} from '../gen/client_pb.ts';
import { file_cluster } from '../gen/cluster_pb.ts';
import { file_legacy } from '../gen/legacy_pb.ts';
import { file_proxy } from '../gen/proxy_pb.ts';
import { TokenClaimsSchema, file_token } from '../gen/token_pb.ts';
import { compileCodec, type MessageCodec } from '../wire/message-codec.ts';
import { isValidJson } from '../wire/raw-json.ts';
import { type DecoderUnderTest, feedDecoder } from './feed-decoder.ts';
import { seededRandom } from './random.ts';
import { sampleMessage } from './sample-message.ts';

// More than a million inputs for every decoder that reads what comes over a network: entry points by name, and then each
// message of each protocol in each of its encodings. FUZZ_SEED makes other inputs.

const SEED = Number(process.env['FUZZ_SEED'] ?? '1');
const INPUTS_PER_ENTRY = 60_000;
const INPUTS_PER_MESSAGE = 330;
const SEEDS_PER_DECODER = 24;
const MIN_INPUTS = 1_000_000;
const MAX_CPU_S = 60;
const MAX_HEAP_GROWTH_BYTES = 32 * 1024 * 1024;
const TIMEOUT_MS = 300_000;

type AnyCodec = MessageCodec<object>;

let fed = 0;
let cpuBefore: NodeJS.CpuUsage;
let heapBefore: number;

beforeAll(() => {
  heapBefore = collectedHeapBytes();
  cpuBefore = process.cpuUsage();
});

function feed(decoder: Omit<DecoderUnderTest, 'isDocumented'>, inputs: number): void {
  const isDocumented = (error: unknown): boolean => error instanceof ProtocolViolation;
  const result = feedDecoder({ ...decoder, isDocumented }, { inputs, seed: SEED });
  fed += result.inputs;
  expect(result.accepted, 'accepted').toBeGreaterThan(inputs / 100);
}

function codecOf(desc: DescMessage, json: 'client' | 'api'): AnyCodec {
  return compileCodec(desc as GenMessage<Message>, { json }) as AnyCodec;
}

/** Valid encodings of a message. */
function seedsOf(desc: DescMessage, write: (codec: AnyCodec, message: object) => Uint8Array): Uint8Array[] {
  const random = seededRandom(SEED);
  const codec = codecOf(desc, 'api');
  return Array.from({ length: SEEDS_PER_DECODER }, () => write(codec, sampleMessage(desc, random)));
}
const jsonSeeds = (desc: DescMessage): Uint8Array[] => seedsOf(desc, ({ writeJson }, message) => writeJson(message));
const protobufSeeds = (desc: DescMessage): Uint8Array[] =>
  seedsOf(desc, ({ writeProtobuf }, message) => writeProtobuf(message));
const delimitedSeeds = (desc: DescMessage): Uint8Array[] =>
  seedsOf(desc, ({ writeDelimited }, message) => writeDelimited(message));

/** Frames of one to three messages. */
function frames(messages: readonly Uint8Array[], { joinFrame }: ClientCodec): Uint8Array[] {
  return messages.map((_, at) => joinFrame(messages.slice(at, at + 1 + (at % 3))));
}

function filterOf(input: Uint8Array): void {
  const node = codecOf(FilterNodeSchema, 'client').readJson(input);
  if (validateFilter(node) === undefined) compileFilter(node)({ a: '1' });
}

describe('fed with a million inputs', () => {
  const entries: [string, Omit<DecoderUnderTest, 'isDocumented'>][] = [
    [
      'JSON commands',
      { decode: (input) => [...jsonCodec.commands(input)], seeds: frames(jsonSeeds(CommandSchema), jsonCodec) },
    ],
    [
      'Protobuf commands',
      {
        decode: (input) => [...protobufCodec.commands(input)],
        seeds: frames(
          delimitedSeeds(CommandSchema).filter(({ length }) => length > 0),
          protobufCodec,
        ),
      },
    ],
    [
      'JSON replies',
      { decode: (input) => decodeReplies('json', input), seeds: frames(jsonSeeds(ReplySchema), jsonCodec) },
    ],
    ['Protobuf replies', { decode: (input) => decodeReplies('protobuf', input), seeds: delimitedSeeds(ReplySchema) }],
    [
      'JSON connect requests',
      { decode: (input) => decodeConnectRequest(input, 'json'), seeds: jsonSeeds(ConnectRequestSchema) },
    ],
    [
      'Protobuf connect requests',
      { decode: (input) => decodeConnectRequest(input, 'protobuf'), seeds: protobufSeeds(ConnectRequestSchema) },
    ],
    [
      'JSON emulation requests',
      {
        decode: (input) => emulationFrame(decodeEmulationRequest(input, 'json'), 'json'),
        seeds: jsonSeeds(EmulationRequestSchema),
      },
    ],
    [
      'Protobuf emulation requests',
      {
        decode: (input) => emulationFrame(decodeEmulationRequest(input, 'protobuf'), 'json'),
        seeds: protobufSeeds(EmulationRequestSchema),
      },
    ],
    ['token claims', { decode: codecOf(TokenClaimsSchema, 'api').readJson, seeds: jsonSeeds(TokenClaimsSchema) }],
    ['tags filters', { decode: filterOf, seeds: jsonSeeds(FilterNodeSchema) }],
    ['payloads that may be JSON', { decode: isValidJson, seeds: jsonSeeds(CommandSchema) }],
    [
      'commands of the old API',
      {
        decode: (input) => [...legacyCommands(input)],
        seeds: [
          '{"id":1,"method":"publish","params":{"channel":"a"}}',
          '{"method":2}\n{"method":0,"params":null}',
          '{}',
        ].map((text) => new TextEncoder().encode(text)),
      },
    ],
  ];
  it.each(entries)(
    'the decoder of %s throws nothing but a ProtocolViolation',
    (_, decoder) => {
      feed(decoder, INPUTS_PER_ENTRY);
    },
    TIMEOUT_MS,
  );

  const files = { file_client, file_api, file_proxy, file_cluster, file_token, file_legacy };
  it.each(Object.entries(files))(
    'the decoders of each message of %s throw nothing else either',
    (_, { messages }) => {
      for (const desc of messages) {
        const client = codecOf(desc, 'client');
        const api = codecOf(desc, 'api');
        feed({ decode: client.readJson, seeds: jsonSeeds(desc) }, INPUTS_PER_MESSAGE);
        feed({ decode: api.readJson, seeds: jsonSeeds(desc) }, INPUTS_PER_MESSAGE);
        feed({ decode: api.readProtobuf, seeds: protobufSeeds(desc) }, INPUTS_PER_MESSAGE);
        feed({ decode: (input) => [...api.readDelimited(input)], seeds: delimitedSeeds(desc) }, INPUTS_PER_MESSAGE);
      }
    },
    TIMEOUT_MS,
  );

  it('they were a million, and took no more time and memory than they may', () => {
    const { user, system } = process.cpuUsage(cpuBefore);
    expect(fed).toBeGreaterThanOrEqual(MIN_INPUTS);
    expect((user + system) / 1e6, 'seconds of CPU').toBeLessThan(MAX_CPU_S);
    expect(collectedHeapBytes() - heapBefore, 'heap growth').toBeLessThan(MAX_HEAP_GROWTH_BYTES);
    console.info(`fuzz: ${fed} inputs, ${(user + system) / 1e6} s of CPU`);
  });
});

function collectedHeapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}
