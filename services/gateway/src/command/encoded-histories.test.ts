import { encodePublications, type Publication } from '@carillon/protocol/client';
import { describe, expect, it } from 'vitest';
import { EncodedHistories } from './encoded-histories.ts';

function list(length: number, dataBytes = 10): readonly Publication[] {
  const data = Buffer.from(JSON.stringify('x'.repeat(dataBytes)));
  return Array.from({ length }, (_, index) => ({ data, offset: index + 1 }));
}

describe('encoded histories', () => {
  it('keep what a list looks like when it is asked for a second time', () => {
    const histories = new EncodedHistories();
    const publications = list(3);
    expect(histories.of('news', publications, 'json')).toBeUndefined();
    expect(histories.bytes).toBe(0);
    const first = histories.of('news', publications, 'json');
    expect(first).toEqual(encodePublications('json', publications));
    expect(histories.of('news', publications, 'json')).toBe(first);
  });

  it('keep each encoding of a list', () => {
    const histories = new EncodedHistories();
    const publications = list(3);
    histories.of('news', publications, 'json');
    const json = histories.of('news', publications, 'json');
    const protobuf = histories.of('news', publications, 'protobuf');
    expect(protobuf).toEqual(encodePublications('protobuf', publications));
    expect(histories.of('news', publications, 'json')).toBe(json);
    expect(histories.of('news', publications, 'protobuf')).toBe(protobuf);
  });

  it('keep the newest list of a channel, and never give one for another', () => {
    const histories = new EncodedHistories();
    const [older, newer] = [list(3), list(4)];
    for (const publications of [older, older, newer, newer]) histories.of('news', publications, 'json');
    const { bytes } = histories;
    expect(histories.of('news', newer, 'json')).toEqual(encodePublications('json', newer));
    expect(histories.of('news', older, 'json')).toEqual(encodePublications('json', older));
    expect(histories.bytes).toBeLessThan(bytes);
  });

  it('hold no more than they may, and let go of what was used longest ago', () => {
    const lists = ['a', 'b', 'c'].map((channel) => ({ channel, publications: list(5, 100) }));
    const oneList = encodePublications('json', list(5, 100)).length * 2;
    const histories = new EncodedHistories({ maxBytes: oneList * 2 });
    const read = (index: number): Uint8Array | undefined => {
      const { channel, publications } = lists[index] ?? { channel: '', publications: [] };
      return histories.of(channel, publications, 'json');
    };
    for (const index of [0, 0, 1, 1]) read(index);
    const kept = read(0);
    for (const index of [2, 2]) read(index);
    expect(histories.bytes).toBe(oneList * 2);
    expect(read(0)).toBe(kept);
    read(1);
    expect(histories.bytes).toBe(oneList * 2);
  });

  it('give nothing for a list that would push out all others', () => {
    const histories = new EncodedHistories();
    const publications = list(3, 300_000);
    for (let reads = 0; reads < 3; reads += 1) expect(histories.of('big', publications, 'json')).toBeUndefined();
    expect(histories.bytes).toBe(0);
  });
});
