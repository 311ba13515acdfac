// Pictures of charts have few colours: with a palette of the most frequent ones they take a third of the bytes.
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PALETTE_SIZE = 256;

/** A PNG with 8 bits a channel, RGB or RGBA without interlacing, as one with a palette. */
export function shrinkPng(png) {
  const chunks = chunksOf(png);
  const header = chunks.find(({ type }) => type === 'IHDR').data;
  const [width, height, depth, colourType] = [header.readUInt32BE(0), header.readUInt32BE(4), header[8], header[9]];
  if (depth !== 8 || (colourType !== 2 && colourType !== 6)) throw new Error(`a PNG of type ${colourType}/${depth}`);
  const bytesPerPixel = colourType === 2 ? 3 : 4;
  const data = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map((chunk) => chunk.data));
  const pixels = unfilter(inflateSync(data), { stride: width * bytesPerPixel, height, bytesPerPixel });
  const { palette, indexOf } = paletteOf(pixels, bytesPerPixel);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0, from = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, from += bytesPerPixel) rows[y * (width + 1) + x + 1] = indexOf(from);
  }
  const newHeader = Buffer.from(header);
  newHeader[9] = 3;
  const compressed = deflateSync(rows, { level: 9 });
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', newHeader),
    chunk('PLTE', palette),
    chunk('IDAT', compressed),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The most frequent colours; all others become the nearest of them. */
function paletteOf(pixels, bytesPerPixel) {
  const counts = new Map();
  const colourAt = (at) => (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
  for (let at = 0; at < pixels.length; at += bytesPerPixel) {
    const colour = colourAt(at);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const chosen = [...counts].toSorted((a, b) => b[1] - a[1]).slice(0, PALETTE_SIZE);
  const colours = chosen.map(([colour]) => colour);
  const known = new Map(colours.map((colour, index) => [colour, index]));
  const indexOf = (at) => {
    const colour = colourAt(at);
    let index = known.get(colour);
    if (index === undefined) known.set(colour, (index = nearest(colours, colour)));
    return index;
  };
  const palette = Buffer.from(colours.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return { palette, indexOf };
}

function nearest(colours, wanted) {
  let [best, least] = [0, Infinity];
  for (const [index, colour] of colours.entries()) {
    const distance = [16, 8, 0].reduce(
      (sum, shift) => sum + (((colour >> shift) & 255) - ((wanted >> shift) & 255)) ** 2,
      0,
    );
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

/** Undoes the filters of the rows (PNG specification, 9.2). */
function unfilter(data, { stride, height, bytesPerPixel }) {
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = data[y * (stride + 1)];
    for (let x = 0; x < stride; x += 1) {
      const at = y * stride + x;
      const left = x < bytesPerPixel ? 0 : out[at - bytesPerPixel];
      const up = y === 0 ? 0 : out[at - stride];
      const corner = y === 0 || x < bytesPerPixel ? 0 : out[at - stride - bytesPerPixel];
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[at] = data[y * (stride + 1) + 1 + x] + predicted;
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const estimate = left + up - corner;
  const [ofLeft, ofUp, ofCorner] = [left, up, corner].map((value) => Math.abs(estimate - value));
  if (ofLeft <= ofUp && ofLeft <= ofCorner) return left;
  return ofUp <= ofCorner ? up : corner;
}

function chunksOf(png) {
  const chunks = [];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return chunks;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
