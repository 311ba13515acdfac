import { type DecoderUnderTest, feedDecoder } from '@carillon/protocol/fuzz';
import { ProtocolViolation } from '@carillon/protocol/codes';
import { OperationalError } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { decodeBanRecord, encodeBanRecord } from '../bans/ban-record.ts';
import { encodeBinaryJson } from '../control/binary-json.ts';
import { decodeControlMessage, decodeControlReply, encodeControlMessage } from '../control/control-message.ts';
import { decodeNodeRecord } from '../control/node-record.ts';
import { decodePresenceEntry, encodePresenceEntry } from '../presence/presence-entry.ts';
import { ByteWriter } from './byte-writer.ts';
import { readLiveMessage, writeLivePublication, writePresenceChange } from './live-message.ts';
import { readLogRecord, writeLogRecord } from './log-record.ts';
import type { PublicationBody } from './publication-body.ts';
import { readWriteAnswer, readWriteRequest, writeWriteAnswer, writeWriteRequest } from './write-request.ts';
import { decodeToken, encodeToken } from '../subject/subject-token.ts';

// What comes from NATS may be of another release, of another program under the same prefix, or damaged.

const SEED = Number(process.env['FUZZ_SEED'] ?? '1');
const INPUTS = 25_000;
const TIMEOUT_MS = 120_000;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const json = (value: unknown): Uint8Array => text(JSON.stringify(value));

function encoded(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter();
  write(out);
  return out.finish();
}

const info = { user: 'u', client: 'c', connInfo: text('{}'), chanInfo: text('[1]') };
const plain: PublicationBody = { nonce: { writer: 1, serial: 2 }, data: text('{"a":1}'), version: 0, isDelta: false };
const full: PublicationBody = { ...plain, info, tags: { a: 'b', c: 'd' }, version: 300, isDelta: true };
const state = {
  epoch: 'abcd',
  index: 3,
  slots: 10,
  ringIndex: 1,
  previousSlots: 0,
  offset: 300,
  floor: 290,
  ringSince: 1,
  writtenAt: 1.7e12,
  metaTtlMs: 1_000,
  publishedAt: 1.7e12,
  expiresAt: 1.8e12,
  version: 3,
  versionEpoch: 'v',
};
const retention = { historySize: 10, historyTtlMs: 60_000, historyMetaTtlMs: 600_000 };
const request = {
  channel: 'a',
  retention,
  body: full,
  idempotencyKey: 'k',
  versionEpoch: '',
  sentAt: 1,
  deadlineMs: 9,
};
const position = { offset: 7, epoch: 'abcd' };

const isViolation = (error: unknown): boolean => error instanceof ProtocolViolation;
const isOperational = (error: unknown): boolean => error instanceof OperationalError;
const never = (): boolean => false;

const decoders: [string, DecoderUnderTest][] = [
  [
    'log records',
    {
      decode: readLogRecord,
      isDocumented: isViolation,
      seeds: [[plain], [full, plain], []].map((bodies) => encoded((out) => writeLogRecord(out, { bodies, state }))),
    },
  ],
  [
    'live messages',
    {
      decode: readLiveMessage,
      isDocumented: isViolation,
      seeds: [
        encoded((out) => writeLivePublication(out, full, 5)),
        encoded((out) => writePresenceChange(out, { kind: 'join', info, origin: Buffer.from('12345678') })),
      ],
    },
  ],
  [
    'write requests',
    {
      decode: readWriteRequest,
      isDocumented: isViolation,
      seeds: [request, { ...request, body: undefined }].map((one) => encoded((out) => writeWriteRequest(out, one))),
    },
  ],
  [
    'write answers',
    {
      decode: readWriteAnswer,
      isDocumented: isViolation,
      seeds: [
        encoded((out) => writeWriteAnswer(out, { kind: 'done', result: { position, suppressed: 'version' } })),
        encoded((out) => writeWriteAnswer(out, { kind: 'failed', code: 'c', message: 'm', isRetriable: true })),
      ],
    },
  ],
  [
    'presence entries',
    {
      decode: decodePresenceEntry,
      isDocumented: isViolation,
      seeds: [encodePresenceEntry({ nodeId: 'node', info }), encodePresenceEntry({ nodeId: 'n', info: {} })],
    },
  ],
  [
    'control messages',
    {
      decode: decodeControlMessage,
      isDocumented: isOperational,
      seeds: [
        encodeControlMessage({ type: 'emulate', session: 's', frame: text('{"id":1}') }),
        encodeBinaryJson({ type: 'command', command: { kind: 'disconnect', user: 'u', whitelist: ['a'] } }),
        encodeBinaryJson({ type: 'survey', question: { kind: 'channels', pattern: '*' } }),
      ],
    },
  ],
  [
    'control replies',
    {
      decode: decodeControlReply,
      isDocumented: isOperational,
      seeds: [
        encodeBinaryJson({ type: 'done' }),
        encodeBinaryJson({ type: 'applied', node: 'n' }),
        encodeBinaryJson({ type: 'answer', answer: { kind: 'channels', channels: new Map([['a', 1]]) } }),
      ],
    },
  ],
  [
    'node records',
    {
      decode: decodeNodeRecord,
      isDocumented: never,
      seeds: [json({ id: 'n', role: 'gateway', name: 'g', version: '1', startedAt: 1, numClients: 2 })],
    },
  ],
  [
    'bans',
    {
      decode: decodeBanRecord,
      isDocumented: never,
      seeds: [
        encodeBanRecord({ kind: 'remove', key: { kind: 'user', user: 'u' } }),
        json({ kind: 'put', ban: { kind: 'token', tokenId: 't', expireAt: 1.8e9 } }),
      ],
    },
  ],
  [
    'subject tokens',
    {
      decode: (input) => decodeToken(Buffer.from(input).toString('latin1')),
      isDocumented: never,
      seeds: ['plain', 'a b*>.ü😀', ''].map((name) => text(encodeToken(name))),
    },
  ],
];

describe('fed with a quarter of a million inputs', () => {
  it.each(decoders)(
    'the decoder of %s throws nothing but what is documented',
    (_, decoder) => {
      const { accepted } = feedDecoder(decoder, { inputs: INPUTS, seed: SEED });
      expect(accepted).toBeGreaterThan(INPUTS / 100);
    },
    TIMEOUT_MS,
  );
});
