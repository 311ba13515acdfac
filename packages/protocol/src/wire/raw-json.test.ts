import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from './base64.ts';
import { ByteSink } from './byte-sink.ts';
import { appendCompacted, InvalidPayload, isJsonObject, isValidJson, withoutNewlines } from './raw-json.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function compacted(text: string): string {
  const sink = new ByteSink();
  appendCompacted(sink, bytes(text));
  return new TextDecoder().decode(sink.take());
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('isValidJson', () => {
  it('accepts what JSON.parse accepts and nothing else', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '""',
      '1',
      '0',
      '-',
      '.',
      'e',
      'E+',
      'true',
      'false',
      'null',
      ' ',
      '\n',
      '\t',
      '\\',
      '\\u',
      '00e9',
      '\u0001',
      '\u00e9',
      '"\\n"',
      '1.5',
      '-0',
      '01',
      'nul',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
        expect(isValidJson(bytes(tokens.join('')))).toBe(parses(tokens.join('')));
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.json(), fc.nat(), token, (json, at, insert) => {
        const position = at % (json.length + 1);
        const text = json.slice(0, position) + insert + json.slice(position);
        expect(isValidJson(bytes(text))).toBe(parses(text));
        expect(isValidJson(bytes(json))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes any bytes without throwing', () => {
    fc.assert(fc.property(fc.uint8Array(), (any) => void isValidJson(any)));
    expect(isValidJson(new Uint8Array(0))).toBe(false);
  });

  it('tells objects from other values', () => {
    expect(isJsonObject(bytes(' {"a":1} '))).toBe(true);
    expect(isJsonObject(bytes('[{}]'))).toBe(false);
    expect(isJsonObject(bytes('{'))).toBe(false);
    expect(isJsonObject(bytes(''))).toBe(false);
  });
});

describe('payloads', () => {
  it('lose their newlines for JSON clients, and are not copied when they have none', () => {
    const plain = bytes('{"a":1}');
    expect(withoutNewlines(plain)).toBe(plain);
    expect(withoutNewlines(bytes('{\n"a":\n1}\n'))).toEqual(plain);
  });

  it('are compacted and escaped in API output', () => {
    expect(compacted(' { "a b" : [ 1 , "<&>\\"\\\\" ] }\n')).toBe(String.raw`{"a b":[1,"\u003c\u0026\u003e\"\\"]}`);
    expect(compacted('"\u2028\u2029\u2030\u00e9"')).toBe('"\\u2028\\u2029\u2030\u00e9"');
    expect(() => compacted('{')).toThrow(InvalidPayload);
    expect(() => compacted('')).toThrow(InvalidPayload);
  });

  it('keep their meaning when they are compacted', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(compacted(text)).not.toMatch(/[<>&\u2028\u2029\n\t]/);
        expect(JSON.parse(compacted(text))).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe('decodeBase64', () => {
  it('takes the standard alphabet with padding, and line breaks', () => {
    expect(decodeBase64('AQID/+8=')).toEqual(Uint8Array.of(1, 2, 3, 255, 239));
    expect(decodeBase64('AQ\r\nID')).toEqual(Uint8Array.of(1, 2, 3));
    expect(decodeBase64('')).toEqual(new Uint8Array(0));
  });

  it.each(['AQ', 'AQI', 'AQ-_', 'AQ=A', '====', 'A Q=', '!'])('refuses %j', (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});
