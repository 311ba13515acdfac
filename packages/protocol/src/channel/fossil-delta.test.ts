import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { applyDelta, createDelta } from './fossil-delta.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

describe('patches', () => {
  it.each([
    ['{"data": "broadcast_data"}', '{"data": "broadcast_data"}', 'Q\nQ@0,1cMJOl;'],
    [
      '{"price":100,"symbol":"AAPL","venue":"NASDAQ"}',
      '{"price":101,"symbol":"AAPL","venue":"NASDAQ"}',
      'j\nC:{"price":101Y@C,1bGS8b;',
    ],
    ['{"count":1,"up":true}', '{"count":2,"up":true}', 'L\n9@0,C:2,"up":true}2HePiI;'],
    ['{"input":"value"}', '{"input":"valve"}', 'H\nD@0,4:ve"}FCB_J;'],
    [
      '{"items":["alpha","beta","gamma","delta","epsilon"],"page":1}',
      '{"items":["beta","gamma","delta","epsilon","alpha"],"page":2}',
      'y\nA:{"items":[W@I,J:,"alpha"],"page":2}27LLLI;',
    ],
    ['a'.repeat(40), `${'a'.repeat(20)}b${'a'.repeat(19)}`, 'd\nK@G,1:bJ@G,3EoSsA;'],
    ['{"short":"text"}', '{"short":"next"}', 'G\nG:{"short":"next"}2TAsXh;'],
  ])('from %s to %s are those of the reference implementation', (source, target, patch) => {
    expect(text(createDelta(bytes(source), bytes(target)))).toBe(patch);
    expect(text(applyDelta(bytes(source), bytes(patch)))).toBe(target);
  });

  it('of others apply as well', () => {
    const source = bytes('{"price":100,"symbol":"AAPL","venue":"NASDAQ"}');
    const target = '{"price":101,"symbol":"AAPL","venue":"NASDAQ"}';
    expect(text(applyDelta(source, bytes('j\nB@0,1:1Y@C,1bGS8b;')))).toBe(target);
  });

  it.each([
    ['', '0\n0;'],
    ['a', '1\n1:a1X0000;'],
    ['ab', '2\n2:ab1XOW00;'],
    ['abc', '3\n3:abc1XObC0;'],
    ['abcd', '4\n4:abcd1XObD_;'],
    ['abcde', '5\n5:abcde36ObD_;'],
  ])('of %j against nothing have the verified checksum', (target, patch) => {
    expect(text(createDelta(new Uint8Array(0), bytes(target)))).toBe(patch);
  });

  it('encode integers in base 64, most significant digit first', () => {
    const sizes: [number, string][] = [
      [10, 'A'],
      [35, 'Z'],
      [36, '_'],
      [37, 'a'],
      [62, 'z'],
      [63, '~'],
      [64, '10'],
      [4095, '~~'],
    ];
    for (const [size, encoded] of sizes) {
      const target = new Uint8Array(size).fill(0x61);
      expect(text(createDelta(new Uint8Array(0), target)).split('\n')[0]).toBe(encoded);
    }
  });

  it('find a moved block in the middle', () => {
    const block = 'the quick brown fox jumps over the lazy dog';
    const patch = createDelta(bytes(`A${block}B${'-'.repeat(50)}`), bytes(`C${'+'.repeat(9)}${block}D`));
    expect(patch.length).toBeLessThan(30);
    expect(text(applyDelta(bytes(`A${block}B${'-'.repeat(50)}`), patch))).toBe(`C${'+'.repeat(9)}${block}D`);
  });

  it('of a large, slightly changed value are small', () => {
    const rows = Array.from({ length: 500 }, (_, id) => ({ id, name: `row ${id}`, value: id * 7 }));
    const source = bytes(JSON.stringify(rows));
    const changed = rows.map((row) => (row.id % 100 === 50 ? { ...row, value: -1 } : row));
    const target = bytes(JSON.stringify(changed));
    const patch = createDelta(source, target);
    expect(applyDelta(source, patch)).toEqual(target);
    expect(patch.length).toBeLessThan(150);
  });

  it('of repetitive text are made in bounded time', () => {
    const source = new Uint8Array(65_536).fill(0x61);
    const target = Uint8Array.from(source, (_, index) => (index % 1000 === 7 ? 0x62 : 0x61));
    expect(applyDelta(source, createDelta(source, target))).toEqual(target);
  });

  it('stop looking for copies before a text that is made for it costs seconds', () => {
    const source = new Uint8Array(1 << 20).fill(0x61);
    const target = Uint8Array.from(source, (_, index) => (index % 5 === 4 ? 0x62 : 0x61));
    expect(createDelta(source, target).length).toBeGreaterThan(target.length);
  });

  it('turn any source into any target', () => {
    const small = fc.uint8Array({ max: 3, maxLength: 300 });
    const pieces = fc.array(fc.oneof(small, fc.constant(bytes('0123456789abcdefghijklmnop'))), { maxLength: 6 });
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      pieces.map((all) => new Uint8Array(Buffer.concat(all))),
    );
    fc.assert(
      fc.property(value, value, fc.boolean(), (source, target, alignsUtf8) => {
        expect(applyDelta(source, createDelta(source, target, { alignsUtf8 }))).toEqual(target);
      }),
      { numRuns: 500 },
    );
  });

  it('of two texts are text themselves, so that they survive a JSON string', () => {
    const strict = new TextDecoder('utf-8', { fatal: true });
    const chars = fc.constantFrom('a', '\u00e9', '\u00e8', '\u20ac', '\u20ad', '\u{1F600}', '\u{1F601}');
    const value = fc.array(fc.oneof(chars, fc.constant('gemeinsam \u00fcber zwanzig Zeichen')), { maxLength: 60 });
    fc.assert(
      fc.property(value, value, (left, right) => {
        const source = bytes(left.join(''));
        const patch = createDelta(source, bytes(right.join('')));
        const travelled = JSON.parse(JSON.stringify(strict.decode(patch))) as string;
        expect(text(applyDelta(source, bytes(travelled)))).toBe(right.join(''));
      }),
      { numRuns: 500 },
    );
  });
});

describe('applying a patch', () => {
  const source = bytes('0123456789');

  it.each([
    ['', 'nothing'],
    ['A', 'no newline'],
    ['2\n2:ab', 'no end'],
    ['2\n2:a', 'a literal that is cut short'],
    ['2\n2:ab1XOW01;', 'a wrong checksum'],
    ['3\n2:ab1XOW00;', 'a total that is too small'],
    ['1\n2:ab1XOW00;', 'a total that is too large'],
    ['5\n5@6,0;', 'a copy past the end'],
    ['5\n5@0;', 'a copy without comma'],
    ['2\n2?ab1XOW00;', 'an unknown operation'],
    ['~~~~~~~\n0;', 'a size beyond 32 bits'],
  ])('%j is refused: %s', (patch) => {
    expect(() => applyDelta(source, bytes(patch))).toThrow(ProtocolViolation);
  });

  it('throws only ProtocolViolation, whatever the bytes', () => {
    const chars = fc.constantFrom(...'0123456789AZ_az~\n:@,;'.split(''));
    fc.assert(
      fc.property(fc.array(chars, { maxLength: 30 }), (patch) => {
        try {
          applyDelta(source, bytes(patch.join('')));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolViolation);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
