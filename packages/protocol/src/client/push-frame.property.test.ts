import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapedJsonString } from '../wire/raw-json.ts';
import { codecFor } from './client-side.ts';
import { clientInfo, payload, unicode } from './fixture/arbitrary-payload.ts';
import type { Publication } from './frames.ts';
import { encodePublicationPush } from './push-frame.ts';

const publication: fc.Arbitrary<Publication> = fc.record(
  {
    data: payload,
    info: clientInfo,
    offset: fc.maxSafeNat(),
    tags: fc.dictionary(unicode, unicode),
    delta: fc.boolean(),
    time: fc.maxSafeInteger(),
    channel: unicode,
    key: unicode,
    removed: fc.boolean(),
    score: fc.maxSafeInteger(),
    epoch: unicode,
    version: fc.maxSafeNat(),
  },
  { requiredKeys: [] },
);

const kind = fc.constantFrom('json' as const, 'protobuf' as const);
const utf8 = new TextDecoder();

describe('the fast encoder of publication pushes', () => {
  it('gives the bytes that the general encoder gives', () => {
    fc.assert(
      fc.property(kind, unicode, publication, fc.boolean(), (kind, channel, pub, delta) => {
        const general = codecFor(kind).encodeReply({ push: { channel, pub: { ...pub, delta: delta || pub.delta } } });
        const fast = encodePublicationPush(kind, channel, pub, { dataForm: 'raw', delta });
        expect(utf8.decode(fast)).toBe(utf8.decode(general));
        expect(fast).toEqual(general);
      }),
      { numRuns: 1000 },
    );
  });

  it('puts the payload into a JSON string for delta subscribers, newlines and all', () => {
    fc.assert(
      fc.property(unicode, publication, fc.boolean(), (channel, pub, delta) => {
        const asString = pub.data?.length ? Buffer.from(escapedJsonString(utf8.decode(pub.data))) : undefined;
        const general = codecFor('json').encodeReply({
          push: { channel, pub: { ...pub, data: asString, delta: delta || pub.delta } },
        });
        const fast = encodePublicationPush('json', channel, pub, { dataForm: 'string', delta });
        expect(utf8.decode(fast)).toBe(utf8.decode(general));
      }),
      { numRuns: 500 },
    );
  });
});
