import { ProtocolViolation } from '@carillon/protocol/codes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { isChangeOf, readLiveMessage, writeLivePublication, writePresenceChange } from './live-message.ts';
import { firstOffset, readLogRecord, writeLogRecord, type LogRecord } from './log-record.ts';
import { toPublication, type PublicationBody } from './publication-body.ts';
import { readWriteAnswer, readWriteRequest, writeWriteAnswer, writeWriteRequest } from './write-request.ts';

const ORIGIN = Buffer.from('12345678');
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const nonEmptyBytes = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((array) => Buffer.from(array));
const natural = fc.oneof(fc.nat(300), fc.maxSafeNat());
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const nonce = fc.record({ writer: fc.nat(0xffffffff), serial: fc.nat(0xffffffff) });
const info = fc.record(
  { user: word, client: word, connInfo: nonEmptyBytes, chanInfo: nonEmptyBytes },
  { requiredKeys: [], noNullPrototype: true },
);
const tags = fc
  .dictionary(fc.oneof(text, fc.constant('__proto__')), text, { minKeys: 1, maxKeys: 4 })
  .map((entries) => Object.fromEntries(Object.entries(entries)));
const hex = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length / 2, maxLength: length / 2 }).map((array) => Buffer.from(array).toString('hex'));
const trace = fc.record({ traceId: hex(32), spanId: hex(16), isSampled: fc.constant(true) });
const body: fc.Arbitrary<PublicationBody> = fc.record({
  nonce,
  data: bytes,
  info: fc.option(info, { nil: undefined }),
  tags: fc.option(tags, { nil: undefined }),
  version: natural,
  isDelta: fc.boolean(),
  trace: fc.option(trace, { nil: undefined }),
});
const record: fc.Arbitrary<LogRecord> = fc
  .record({
    bodies: fc.array(body, { maxLength: 5 }),
    extra: fc.nat(1_000),
    floorBack: fc.nat(20),
    epoch: word,
    index: fc.nat(100_000),
    ringBack: fc.nat(20),
    slots: fc.integer({ min: 1, max: 10_000 }),
    previousSlots: fc.nat(10_000),
    times: fc.tuple(natural, natural, natural, natural),
    version: natural,
    versionEpoch: text,
  })
  .map(({ bodies, extra, floorBack, ringBack, times, versionEpoch, ...state }) => {
    const offset = bodies.length + extra;
    const [writtenAt, publishedAt, expiresAt, metaTtlMs] = times;
    return {
      bodies,
      state: {
        ...state,
        offset,
        floor: Math.max(0, offset + 1 - floorBack),
        ringIndex: Math.max(0, state.index + 1 - ringBack),
        ringSince: Math.max(0, offset - floorBack),
        writtenAt,
        metaTtlMs,
        publishedAt,
        expiresAt,
        versionEpoch: state.version === 0 ? '' : versionEpoch,
      },
    };
  });

function encode(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter();
  write(out);
  return out.finish();
}

describe('binary records', () => {
  test('a number comes back as it was', () => {
    fc.assert(fc.property(natural, (value) => new ByteReader(encode((out) => out.varint(value))).varint() === value));
  });

  test('so does one of 64 bits', () => {
    const large = fc.bigInt({ min: BigInt(Number.MAX_SAFE_INTEGER) + 1n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(fc.oneof(natural, large), (value) => {
        expect(new ByteReader(encode((out) => out.varint64(value))).varint64()).toBe(value);
      }),
    );
    expect(() => new ByteReader(Buffer.from(`${'ff'.repeat(9)}02`, 'hex')).varint64()).toThrow(ProtocolViolation);
    expect(() => new ByteReader(Buffer.alloc(30, 0xff)).varint64()).toThrow(ProtocolViolation);
    expect(() => new ByteReader(Buffer.alloc(9, 0xff)).varint64()).toThrow(ProtocolViolation);
  });

  test('a log record comes back as it was', () => {
    fc.assert(
      fc.property(record, (original) => {
        const decoded = readLogRecord(encode((out) => writeLogRecord(out, original)));
        expect(decoded).toEqual(original);
        expect(firstOffset(decoded)).toBe(original.state.offset - original.bodies.length + 1);
      }),
    );
  });

  test('traces are the last bytes of a message: nodes that do not know of them read all else', () => {
    fc.assert(
      fc.property(record, (original) => {
        const whole = encode((out) => writeLogRecord(out, original));
        const traced = original.bodies.filter((body) => body.trace !== undefined).length;
        const untraced = { ...original, bodies: original.bodies.map((body) => ({ ...body, trace: undefined })) };
        const known = encode((out) => writeLogRecord(out, untraced));
        expect(whole.length).toBe(known.length + 24 * traced);
        // But for the flags, which such nodes do not look at.
        const differing = [...known].filter((byte, at) => byte !== whole[at]);
        expect(differing.length).toBe(traced);
      }),
    );
  });

  test('live messages come back as they were', () => {
    fc.assert(
      fc.property(body, info, natural, (one, who, publishedAt) => {
        const publication = encode((out) => writeLivePublication(out, one, publishedAt));
        expect(readLiveMessage(publication)).toEqual({ kind: 'publication', body: one, publishedAt });
        for (const kind of ['join', 'leave'] as const) {
          const change = encode((out) => writePresenceChange(out, { kind, info: who, origin: ORIGIN }));
          expect(readLiveMessage(change)).toEqual({ kind, info: who });
          expect(isChangeOf(ORIGIN, change)).toBe(true);
          expect(isChangeOf(Buffer.from('87654321'), change)).toBe(false);
        }
        expect(isChangeOf(ORIGIN, publication)).toBe(false);
      }),
    );
  });

  test('write requests and answers come back as they were', () => {
    const retention = fc.record({ historySize: natural, historyTtlMs: natural, historyMetaTtlMs: natural });
    const request = fc.record({
      channel: text,
      retention,
      body: fc.option(body, { nil: undefined }),
      idempotencyKey: text,
      versionEpoch: text,
      sentAt: natural,
      deadlineMs: natural,
    });
    const position = fc.record({ offset: natural, epoch: text });
    const answer = fc.oneof(
      position.map((position) => ({ kind: 'done' as const, result: { position } })),
      fc.record({
        kind: fc.constant('done' as const),
        result: fc.record({ position, suppressed: fc.constantFrom('idempotency' as const, 'version' as const) }),
      }),
      fc.record({ kind: fc.constant('failed' as const), code: text, message: text, isRetriable: fc.boolean() }),
    );
    fc.assert(
      fc.property(request, answer, (one, other) => {
        expect(readWriteRequest(encode((out) => writeWriteRequest(out, one)))).toEqual(one);
        expect(readWriteAnswer(encode((out) => writeWriteAnswer(out, other)))).toEqual(other);
      }),
    );
  });

  test('bytes that are no record are refused with a ProtocolViolation and nothing else', () => {
    const decoders = [readLogRecord, readLiveMessage, readWriteRequest, readWriteAnswer];
    const anyBytes = fc.oneof(
      bytes,
      fc
        .tuple(fc.constantFrom(0x11, 0x15, 0x12, 0x13, 0x14, 0x21, 0x31, 0x32), bytes)
        .map(([kind, rest]) => Buffer.concat([Buffer.from([kind]), rest])),
      fc
        .tuple(record, fc.nat(200))
        .map(([original, length]) => encode((out) => writeLogRecord(out, original)).subarray(0, length)),
    );
    fc.assert(
      fc.property(anyBytes, (input) => {
        for (const decode of decoders) {
          try {
            decode(input);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolViolation);
          }
        }
      }),
    );
  });

  test('a buffer that has grown large is given back', () => {
    const out = new ByteWriter();
    out.raw(Buffer.alloc(1_000_000, 1));
    expect(out.finish()).toHaveLength(1_000_000);
    out.u8(7);
    expect([...out.finish()]).toEqual([7]);
  });

  test('absent fields stay absent in a publication', () => {
    const plain = { nonce: { writer: 1, serial: 1 }, data: Buffer.from('a'), version: 0, isDelta: false };
    expect(toPublication(plain, 3)).toEqual({ data: Buffer.from('a'), offset: 3 });
  });
});
