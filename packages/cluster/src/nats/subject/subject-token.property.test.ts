import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodeToken, encodeToken, hashText } from './subject-token.ts';

const anyText = fc.string({ unit: 'binary' });
const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

describe('subject tokens', () => {
  test('any string comes back as it was', () => {
    fc.assert(fc.property(fc.oneof(anyText, anyUnits), (text) => decodeToken(encodeToken(text)) === text));
  });

  test('a token is never empty and holds nothing that means something to NATS', () => {
    fc.assert(fc.property(fc.oneof(anyText, anyUnits), (text) => /^[A-Za-z0-9_=-]+$/.test(encodeToken(text))));
  });

  test('letters, digits, _ and - stay as they are', () => {
    expect(encodeToken('Chat-1_x')).toBe('Chat-1_x');
    expect(encodeToken('a.b c*>:')).toBe('a=2eb=20c=2a=3e=3a');
    expect(encodeToken('Ж')).toBe('=u0416');
    expect(encodeToken('')).toBe('=');
  });

  test('decoding anything gives undefined or the one string that encodes to it', () => {
    fc.assert(
      fc.property(fc.string(), (token) => {
        const text = decodeToken(token);
        return text === undefined || encodeToken(text) === token;
      }),
    );
    expect(decodeToken('=zz')).toBeUndefined();
    expect(decodeToken('=61')).toBeUndefined();
    expect(decodeToken('a.b')).toBeUndefined();
  });

  test('the hash never changes and spreads names over shards', () => {
    expect(hashText('chat:1')).toBe(hashText('chat:1'));
    const counts = Array.from({ length: 8 }, () => 0);
    for (let index = 0; index < 8000; index++) {
      const shard = hashText(`room:${index}`) % 8;
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(800);
  });
});
