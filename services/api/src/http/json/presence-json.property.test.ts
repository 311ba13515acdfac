import { apiMethods, type ClientInfo } from '@carillon/protocol/api';
import { InvalidPayload } from '@carillon/protocol/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresenceMembers } from '../../method/channel/presence-members.ts';
import { PresenceJson } from './presence-json.ts';
import { createResponseWriter } from './response-writer.ts';

const { response } = apiMethods.presence;

const text = fc.oneof(fc.uuid(), fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('', '__proto__', '<&>'));
const client = fc.oneof(text, fc.nat().map(String), fc.constantFrom('007', '4294967294', '4294967295', '12345678901'));
const payload = fc.oneof(
  fc.constant(undefined),
  fc.json({ maxDepth: 2 }).map((json) => Buffer.from(json)),
  // Bytes that are no UTF-8 pass in strings.
  fc.uint8Array({ maxLength: 6 }).map((bytes) => {
    const inString = bytes.filter((byte) => byte >= 0x80);
    return Buffer.concat([Buffer.from(' "'), inString, Buffer.from('" ')]);
  }),
);
const info = fc.record({ user: text, client, connInfo: payload, chanInfo: payload });
/** Mostly as presence has them, under their own ids. */
const members = fc
  .array(fc.tuple(info, fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: client })))
  .map((rows) => new Map(rows.map(([entry, key]) => [key ?? entry.client, entry])));

function asTheCodec(map: ReadonlyMap<string, ClientInfo>): Buffer {
  return Buffer.from(response.writeJson({ result: { presence: Object.fromEntries(map) } }));
}

describe('answers of presence', () => {
  it('are what the codec writes, the first time and again', () => {
    fc.assert(
      fc.property(fc.array(members, { maxLength: 4 }), (maps) => {
        const json = new PresenceJson();
        const write = createResponseWriter(apiMethods.presence);
        for (const map of [...maps, ...maps, new Map([...maps].flatMap((each) => [...each]))]) {
          expect(Buffer.from(json.write(map))).toEqual(asTheCodec(map));
          expect(Buffer.from(write({ result: new PresenceMembers(map) }))).toEqual(asTheCodec(map));
        }
      }),
    );
  });

  it('fail as the codec does where the information of a client is not JSON', () => {
    const json = new PresenceJson();
    const map = new Map([['c', { user: 'u', client: 'c', connInfo: Buffer.from([0]) }]]);
    expect(() => asTheCodec(map)).toThrow(InvalidPayload);
    for (let time = 0; time < 2; time += 1) expect(() => json.write(map)).toThrow(InvalidPayload);
  });

  it('show a member that came back with something else', () => {
    const json = new PresenceJson();
    for (const user of ['a', 'b']) {
      const map = new Map([['c', { user, client: 'c' }]]);
      expect(Buffer.from(json.write(map)).toString()).toBe(
        `{"result":{"presence":{"c":{"user":"${user}","client":"c"}}}}`,
      );
    }
  });
});
