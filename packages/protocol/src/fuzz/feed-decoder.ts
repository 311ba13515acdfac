import { fuzzedInput } from './mutate.ts';
import { seededRandom } from './random.ts';

export interface DecoderUnderTest {
  /** Takes an input whole: generators are run to their end. */
  readonly decode: (input: Uint8Array) => unknown;
  /** Valid inputs, at least one. */
  readonly seeds: readonly Uint8Array[];
  /** Whether the documentation of the decoder names this error. */
  readonly isDocumented: (error: unknown) => boolean;
}

export interface Feeding {
  readonly inputs: number;
  /** The same inputs for the same seed. */
  readonly seed: number;
}

export interface Fed {
  readonly inputs: number;
  /** Inputs that were decoded without an error: none, and the decoder's own checks have hidden the rest of it. */
  readonly accepted: number;
  readonly refused: number;
}

/** No input is as long as to need more; a decoder that goes over its input again and again does. */
const MAX_MS_PER_INPUT = 100;
/** Others use the machine, too: the fastest of so many tries counts. */
const TRIES = 5;

/** Feeds a decoder. Throws, with the input, when it throws what is not documented or takes longer than it may. */
export function feedDecoder({ decode, seeds, isDocumented }: DecoderUnderTest, { inputs, seed }: Feeding): Fed {
  const random = seededRandom(seed);
  for (const valid of seeds) decode(valid);
  let accepted = 0;
  for (let count = 0; count < inputs; count += 1) {
    const input = fuzzedInput(seeds, random);
    const startedAt = performance.now();
    const error = errorOf(decode, input);
    if (performance.now() - startedAt > MAX_MS_PER_INPUT) proveFast(decode, input);
    if (error === undefined) accepted += 1;
    else if (!isDocumented(error.cause)) {
      throw new Error(`input ${count} (${describe(input)}): not a documented error`, { cause: error.cause });
    }
  }
  return { inputs, accepted, refused: inputs - accepted };
}

function errorOf(decode: DecoderUnderTest['decode'], input: Uint8Array): { readonly cause: unknown } | undefined {
  try {
    decode(input);
    return undefined;
  } catch (cause) {
    return { cause };
  }
}

function proveFast(decode: DecoderUnderTest['decode'], input: Uint8Array): void {
  const times = Array.from({ length: TRIES }, () => {
    const startedAt = performance.now();
    errorOf(decode, input);
    return performance.now() - startedAt;
  });
  const best = Math.min(...times);
  if (best > MAX_MS_PER_INPUT) throw new Error(`${best.toFixed(0)} ms for ${input.length} bytes: ${describe(input)}`);
}

function describe(input: Uint8Array): string {
  const shown = Buffer.from(input.subarray(0, 200)).toString('base64');
  return input.length > 200 ? `${shown}… of ${input.length} bytes, base64` : `${shown}, base64`;
}
