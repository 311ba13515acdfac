import { ProtocolViolation } from '@carillon/protocol/codes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePresenceEntry, encodePresenceEntry } from './presence-entry.ts';

describe('presence entries', () => {
  it('come back as they were', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    const bytes = fc.uint8Array({ minLength: 1 });
    fc.assert(
      fc.property(text, text, text, bytes, (nodeId, user, client, chanInfo) => {
        const entry = decodePresenceEntry(encodePresenceEntry({ nodeId, info: { user, client, chanInfo } }));
        expect(entry.nodeId).toBe(nodeId);
        expect(entry.info).toMatchObject({ user, client });
        expect([...(entry.info.chanInfo ?? [])]).toEqual([...chanInfo]);
        expect(entry.info.connInfo).toBeUndefined();
      }),
    );
  });

  it('throw nothing but protocol violations when they are none', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          decodePresenceEntry(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolViolation);
        }
      }),
    );
  });
});
