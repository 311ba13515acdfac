import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ban } from '../../ban-list.ts';
import { banToken, decodeBanRecord, encodeBanRecord } from './ban-record.ts';

const text = fc.string({ unit: 'grapheme' });
const time = fc.nat();
const ban: fc.Arbitrary<Ban> = fc.oneof(
  fc.record({ kind: fc.constant('user' as const), user: text, expireAt: time }),
  fc.record({ kind: fc.constant('token' as const), tokenId: text, expireAt: time }),
  fc.record({
    kind: fc.constant('user_tokens' as const),
    user: text,
    channel: text,
    issuedBefore: time,
    expireAt: time,
  }),
);

describe('ban records', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(ban, (each) => {
        expect(decodeBanRecord(encodeBanRecord({ kind: 'put', ban: each }))).toEqual({ kind: 'put', ban: each });
      }),
    );
  });

  it('of one key share a token fit for a subject', () => {
    fc.assert(
      fc.property(ban, time, (each, expireAt) => {
        expect(banToken(each)).toMatch(/^[A-Za-z0-9_-]{43}$/);
        const later: Ban = { ...each, expireAt };
        expect(banToken(later)).toBe(banToken(each));
      }),
    );
  });

  it('of different keys have different tokens, also where user and channel read alike together', () => {
    const tokens = [
      banToken({ kind: 'user', user: 'a' }),
      banToken({ kind: 'token', tokenId: 'a' }),
      banToken({ kind: 'user_tokens', user: 'a', channel: '' }),
      banToken({ kind: 'user_tokens', user: 'a', channel: 'b' }),
      banToken({ kind: 'user_tokens', user: 'a","b', channel: '' }),
    ];
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it('that are none are read as nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBanRecord(bytes)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(decodeBanRecord(new TextEncoder().encode(json))).toBeUndefined();
      }),
    );
  });
});
