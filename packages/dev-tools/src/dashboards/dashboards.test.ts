import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { drawPanel } from './draw-panel.mjs';
import { shrinkPng } from './shrink-png.mjs';

const BOX = { width: 400, height: 200 };
const RANGE = { start: 0, end: 100, step: 5 };

describe('drawPanel', () => {
  const panel = { title: 'A < B', type: 'timeseries', unit: 's', series: [], range: RANGE };

  it('says where there is no data, and takes titles as they are', () => {
    const svg = drawPanel(panel, BOX);
    expect(svg).toContain('no data');
    expect(svg).toContain('A &lt; B');
  });

  it('breaks a line where samples are missing', () => {
    const points = [0, 5, 50, 55].map((time) => [time, 0.25]);
    const svg = drawPanel({ ...panel, series: [{ label: 'a', points }] }, BOX);
    expect(svg.match(/<path/g)).toHaveLength(2);
    expect(svg).toContain('320 ms');
  });

  it('shows the newest number of a stat', () => {
    const points = [10, 20].map((time) => [time, time * 100]);
    expect(drawPanel({ ...panel, type: 'stat', unit: 'short', series: [{ label: '', points }] }, BOX)).toContain(
      '>2k<',
    );
  });
});

describe('shrinkPng', () => {
  it('keeps the colours of a picture with few of them, whatever filter its rows have', () => {
    const white = [255, 255, 255];
    const red = [200, 0, 0];
    // Two rows of two pixels: the first plain, the second as differences to the row above.
    const rows = Buffer.from([0, ...white, ...red, 2, 0, 0, 0, 55, 255, 255]);
    const header = Buffer.from([0, 0, 0, 2, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
    const png = Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(rows)),
      chunk('IEND', Buffer.alloc(0)),
    ]);
    const small = shrinkPng(png);
    // White three times, red once: the palette begins with the most frequent.
    expect(small.includes(Buffer.concat([Buffer.from('PLTE'), Buffer.from([...white, ...red])]))).toBe(true);
    expect(small[25]).toBe(3);
    expect(small.includes(deflateSync(Buffer.from([0, 0, 1, 0, 0, 0]), { level: 9 }))).toBe(true);
  });
});

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
