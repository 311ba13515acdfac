import { feedDecoder } from '@carillon/protocol/fuzz';
import { expect, it } from 'vitest';
import { parseToken } from './token-parts.ts';
import { TokenError } from './token-verifier.ts';

const INPUTS = 40_000;
const TIMEOUT_MS = 120_000;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

it(
  'whatever stands where a token should be, taking it apart throws nothing but a TokenError',
  () => {
    const claims = { sub: 'u', exp: 1_900_000_000, channels: ['a'], info: { name: 'n' }, aud: ['x', 'y'], jti: 't' };
    const texts = [
      `${part({ alg: 'HS256', kid: 'k' })}.${part(claims)}.c2ln`,
      `${part({ alg: 'ES256' })}.${part({ ...claims, subs: { a: { data: 1 } }, aud: 'x' })}.c2ln`,
      `${part({ alg: 'none' })}.${part({})}.`,
    ];
    // The claims as text, too: in base64 most changes only make other characters of them.
    const decode = (input: Uint8Array): unknown => {
      const text = Buffer.from(input).toString('latin1');
      const token = text.startsWith('{') ? `${part({ alg: 'HS256' })}.${btoa(text).replace(/=+$/, '')}.` : text;
      return parseToken(token, input.length % 2 === 0 ? 'connection' : 'subscription');
    };
    const seeds = [...texts, JSON.stringify(claims)].map((text) => new TextEncoder().encode(text));
    const isDocumented = (error: unknown): boolean => error instanceof TokenError;
    const { accepted } = feedDecoder({ decode, seeds, isDocumented }, { inputs: INPUTS, seed: 1 });
    expect(accepted).toBeGreaterThan(INPUTS / 100);
  },
  TIMEOUT_MS,
);
