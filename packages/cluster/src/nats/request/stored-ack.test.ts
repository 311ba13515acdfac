import { describe, expect, test } from 'vitest';
import { readStoredAck } from './stored-ack.ts';

function sequenceIn(text: string): number {
  return readStoredAck(Buffer.from(text));
}

describe('an acknowledgement', () => {
  test('of a message that was stored gives its sequence', () => {
    expect(sequenceIn('{"stream":"carillon-log-3","seq":1}')).toBe(1);
    expect(sequenceIn('{"stream":"carillon-log-3", "seq": 120450}')).toBe(120_450);
    expect(sequenceIn('{"stream":"l","domain":"hub","seq":9007199254740991}')).toBe(Number.MAX_SAFE_INTEGER);
  });

  test.each([
    '',
    '}',
    '{"stream":"l"}',
    '{"stream":"l","seq":}',
    '{"stream":"l","seq":x1}',
    '{"stream":"l","seq":-1}',
    '{"stream":"l","seq":9007199254740993}',
    '{"stream":"l","seq":5,"duplicate":true}',
    '{"stream":"l","seq":5,"batch":"b","count":2}',
    '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 5"},"stream":"l","seq":5}',
    '{"seq":5}',
  ])('of anything else is for the parser of JSON: %s', (text) => {
    expect(sequenceIn(text)).toBe(0);
  });
});
