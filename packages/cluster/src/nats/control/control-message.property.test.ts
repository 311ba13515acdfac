import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBinaryJson, encodeBinaryJson } from './binary-json.ts';
import {
  decodeControlMessage,
  decodeControlReply,
  encodeControlMessage,
  encodeControlReply,
  joinAnswers,
  splitAnswer,
} from './control-message.ts';
import { decodeNodeRecord, encodeNodeRecord } from './node-record.ts';

const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.uint8Array());
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('any')),
    fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => !key.startsWith('$') && key !== '__proto__'),
      tie('any'),
      {
        noNullPrototype: true,
      },
    ),
    fc.array(fc.tuple(fc.string(), tie('any'))).map((entries) => new Map(entries)),
  ),
})).any;

describe('messages between nodes', () => {
  it('hold bytes, maps and all of JSON as they were', () => {
    fc.assert(
      fc.property(value, (item) => {
        expect(decodeBinaryJson(encodeBinaryJson(item))).toEqual(item);
      }),
    );
  });

  it('hold bytes of their own, not views of what came', () => {
    const message = encodeControlMessage({ type: 'emulate', session: 's', frame: Uint8Array.of(1, 2, 3) });
    const decoded = decodeControlMessage(message);
    message.fill(0);
    expect(decoded.type === 'emulate' && [...decoded.frame]).toEqual([1, 2, 3]);
  });

  it('throw nothing but operational errors when they are none', () => {
    const check = (decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void => {
      try {
        decode(bytes);
      } catch (error) {
        expect(error).toMatchObject({ name: 'OperationalError' });
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => encodeBinaryJson(JSON.parse(text))),
        ),
        (bytes) => {
          check(decodeControlMessage, bytes);
          check(decodeControlReply, bytes);
          expect(() => decodeNodeRecord(bytes)).not.toThrow();
        },
      ),
    );
  });

  it('of a kind that comes later are refused', () => {
    expect(() => decodeControlMessage(encodeBinaryJson({ type: 'command', command: { kind: 'later' } }))).toThrow(
      'this release does not know',
    );
    expect(() => decodeControlReply(encodeBinaryJson({ type: 'answer', answer: { kind: 'later' } }))).toThrow(
      'this release does not know',
    );
    expect(decodeControlReply(encodeControlReply({ type: 'done' }))).toEqual({ type: 'done' });
  });
});

describe('parts of an answer', () => {
  it('are each no larger than asked and make the whole again', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.nat(), { noNullPrototype: true }), (counts) => {
        const answer = { kind: 'channels', channels: new Map(Object.entries(counts)) } as const;
        const parts = splitAnswer(answer, 100);
        expect(parts.length).toBeGreaterThan(0);
        for (const part of parts) {
          const isSingle = part.kind === 'channels' && part.channels.size <= 1;
          const entries = part.kind === 'channels' ? JSON.stringify([...part.channels]).length : 0;
          expect(isSingle || entries <= 150).toBe(true);
        }
        expect(joinAnswers(parts)).toEqual(answer);
      }),
    );
  });
});

describe('node records', () => {
  it('come back as they were, and what is missing is zero', () => {
    const record = {
      id: 'n1',
      name: 'é',
      role: 'gateway',
      version: '1',
      startedAt: 1,
      numClients: 2,
      numUsers: 3,
      numChannels: 4,
      numSubs: 5,
    } as const;
    expect(decodeNodeRecord(encodeNodeRecord(record))).toEqual(record);
    const text = new TextEncoder().encode('{"id":"n1","role":"api","numSubs":"many"}');
    expect(decodeNodeRecord(text)).toMatchObject({ id: 'n1', role: 'api', name: '', numSubs: 0 });
    expect(decodeNodeRecord(new TextEncoder().encode('{"id":"n1","role":"cook"}'))).toBeUndefined();
  });
});
