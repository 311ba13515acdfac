import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecFor } from './client-side.ts';
import { clientInfo, payload, unicode } from './fixture/arbitrary-payload.ts';
import type { Publication } from './frames.ts';
import { encodeHistoryReply, encodePublications } from './history-frame.ts';

const publication: fc.Arbitrary<Publication> = fc.record(
  {
    data: payload,
    info: clientInfo,
    offset: fc.maxSafeNat(),
    tags: fc.dictionary(unicode, unicode),
    version: fc.maxSafeNat(),
  },
  { requiredKeys: [] },
);

const kind = fc.constantFrom('json' as const, 'protobuf' as const);
const position = fc.record({ epoch: unicode, offset: fc.maxSafeNat() });
const utf8 = new TextDecoder();

describe('a history reply around publications that were encoded before', () => {
  it('is the bytes that the general encoder gives', () => {
    fc.assert(
      fc.property(
        kind,
        fc.nat({ max: 2 ** 32 - 1 }),
        fc.array(publication, { maxLength: 12 }),
        position,
        (kind, id, publications, top) => {
          const general = codecFor(kind).encodeReply({ id, history: { publications, ...top } });
          const encoded = encodePublications(kind, publications);
          const fast = encodeHistoryReply(kind, { id, publications: encoded, ...top });
          expect(utf8.decode(fast)).toBe(utf8.decode(general));
          expect(fast).toEqual(general);
        },
      ),
      { numRuns: 300 },
    );
  });
});
