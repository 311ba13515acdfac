export { feedDecoder, type DecoderUnderTest, type Fed, type Feeding } from './feed-decoder.ts';
export { fuzzedInput } from './mutate.ts';
export { seededRandom, type Random } from './random.ts';
