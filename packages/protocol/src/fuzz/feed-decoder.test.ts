import { describe, expect, it } from 'vitest';
import { feedDecoder } from './feed-decoder.ts';
import { fuzzedInput } from './mutate.ts';
import { seededRandom } from './random.ts';

const seeds = [new TextEncoder().encode('{"id":1,"connect":{}}')];
const parse = (input: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(input));
const isDocumented = (error: unknown): boolean => error instanceof SyntaxError;
const feeding = { inputs: 2000, seed: 1 };

describe('feeding a decoder', () => {
  it('passes one that keeps to its errors, and counts', () => {
    const fed = feedDecoder({ decode: parse, seeds, isDocumented }, feeding);
    expect(fed.accepted).toBeGreaterThan(100);
    expect(fed.refused).toBeGreaterThan(100);
    expect(fed.accepted + fed.refused).toBe(2000);
  });

  it('fails one that throws another error, and shows the input', () => {
    const decode = (input: Uint8Array): unknown => {
      if (input.includes(0xff)) throw new TypeError('surprise');
      return parse(input);
    };
    expect(() => feedDecoder({ decode, seeds, isDocumented }, feeding)).toThrow(/^input \d+ \(.*base64\)/);
  });

  it('fails one that is slow', () => {
    const decode = (input: Uint8Array): unknown => {
      const until = performance.now() + (input.length > 1000 ? 110 : 0);
      while (performance.now() < until);
      return parse(input);
    };
    expect(() => feedDecoder({ decode, seeds, isDocumented }, feeding)).toThrow(/ ms for \d+ bytes/);
  });

  it('fails one that refuses what is valid', () => {
    expect(() => feedDecoder({ decode: parse, seeds: [Uint8Array.of(1)], isDocumented }, feeding)).toThrow(SyntaxError);
  });

  it('gives the same inputs for the same seed, cut off, changed and nested ones among them', () => {
    const make = (seed: number): string[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 3000 }, () => Buffer.from(fuzzedInput(seeds, random)).toString('latin1'));
    };
    const inputs = make(7);
    expect(make(7)).toEqual(inputs);
    expect(make(8)).not.toEqual(inputs);
    const [valid = ''] = seeds.map((seed) => Buffer.from(seed).toString('latin1'));
    expect(inputs).toContain(valid);
    expect(inputs.some((input) => valid.startsWith(input) && input.length < valid.length && input !== '')).toBe(true);
    expect(inputs.some((input) => input.length > 10_000)).toBe(true);
    expect(new Set(inputs).size).toBeGreaterThan(1500);
  });
});
