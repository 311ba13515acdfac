import type { Random } from './random.ts';

// Inputs for decoders: valid ones with something wrong, cut off, mixed with others, and plain noise.

/** Longest ordinary input; nested ones may be longer. */
const MAX_INPUT_BYTES = 4096;
const MAX_NOISE_BYTES = 200;
const MAX_MUTATIONS = 4;
/** One in so many inputs is nested as deep as it gets. */
const NESTED_EVERY = 1000;
const MAX_NESTING = 20_000;
const NOISE_PERCENT = 8;

/** Bytes that mean something to JSON, Protobuf and lengths. */
const TELLING_BYTES: Uint8Array = Buffer.from(
  '\0\x01\x02\x08\n\f\r\x1a\x7f\x80\xc0\xe2\xed\xf4\xfe\xff{}[]":,\\u09-+.eEtfn /',
  'latin1',
);

const TELLING_PIECES: readonly Uint8Array[] = [
  '\\ud800',
  '\\u0000',
  '"__proto__":',
  'null',
  '1e999',
  '-0',
  '18446744073709551616',
  '9007199254740993',
  '\n',
  '{"a":',
  '[[[[',
].map((text) => new TextEncoder().encode(text));

/** Beginnings that nest: JSON arrays and objects, and a message in a message in Protobuf. */
const NESTINGS: readonly Uint8Array[] = ['[', '{"a":', '{"filter":', '{"nodes":[', '\n\x7f', '"'].map((text) =>
  new TextEncoder().encode(text),
);

/** A varint of ten bytes, and one that is longer than any number. */
const LONG_VARINTS: readonly Uint8Array[] = [9, 10, 12].map((length) => new Uint8Array(length).fill(0xff));

/** One input for a decoder whose valid inputs include `seeds` (at least one). In memory of its own. */
export function fuzzedInput(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  if (random(NESTED_EVERY) === 0) return nested(random);
  if (random(100) < NOISE_PERCENT) return noise(random, random(MAX_NOISE_BYTES));
  let input: Buffer = Buffer.from(pick(seeds, random));
  for (let left = random(MAX_MUTATIONS + 1); left > 0; left -= 1) input = mutated(input, seeds, random);
  return new Uint8Array(input.subarray(0, MAX_INPUT_BYTES));
}

function mutated(input: Buffer, seeds: readonly Uint8Array[], random: Random): Buffer {
  const at = random(input.length + 1);
  const count = 1 + random(16);
  switch (random(9)) {
    case 0:
      return input.subarray(0, at);
    case 1:
      return replaced(input, at, 1, Uint8Array.of(pick(TELLING_BYTES, random)));
    case 2:
      return replaced(input, at, 1, Uint8Array.of((input[at] ?? 0) ^ (1 << random(8))));
    case 3:
      return replaced(input, at, count, new Uint8Array(0));
    case 4:
      return replaced(input, at, 0, input.subarray(at, at + count));
    case 5:
      return replaced(input, at, 0, noise(random, count));
    case 6:
      return replaced(input, at, random(2), pick(TELLING_PIECES, random));
    case 7:
      return replaced(input, at, 1, pick(LONG_VARINTS, random));
    default:
      return spliced(input, pick(seeds, random), random);
  }
}

function replaced(input: Buffer, at: number, removed: number, piece: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, at), piece, input.subarray(at + removed)]);
}

/** The beginning of one and the end of another. */
function spliced(input: Buffer, other: Uint8Array, random: Random): Buffer {
  return Buffer.concat([input.subarray(0, random(input.length + 1)), other.subarray(random(other.length + 1))]);
}

function nested(random: Random): Uint8Array {
  const piece = pick(NESTINGS, random);
  return new Uint8Array(Buffer.alloc(piece.length * (1 + random(MAX_NESTING)), piece));
}

function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256));
}

function pick<Item>(items: ArrayLike<Item>, random: Random): Item {
  const item = items[random(items.length)];
  if (item === undefined) throw new RangeError('there is nothing to choose from');
  return item;
}
