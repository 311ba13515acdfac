// Where the blocks of a source stand, found again in a target by a rolling hash.

/** Size of the blocks that are looked up; shorter matches inside a text are not found. */
export const BLOCK_BYTES = 16;
/** Blocks of one hash that are tried per position: a text of one repeated block would make the search quadratic. */
const MAX_CANDIDATES = 32;

/** A run of the target that stands somewhere in the source. */
export interface BlockMatch {
  readonly targetStart: number;
  readonly targetEnd: number;
  readonly sourceStart: number;
}

/** The part of the target that a match may cover. */
export interface MatchRange {
  readonly from: number;
  readonly to: number;
}

/** Sixteen bytes of the target, hashed; moving by one costs a few additions. */
export class RollingWindow {
  start: number;
  private readonly bytes: Uint8Array;
  private sum = 0;
  private weighted = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.start = start;
    this.moveTo(start);
  }

  get hash(): number {
    return ((this.sum & 0xffff) | ((this.weighted & 0xffff) << 16)) >>> 0;
  }

  moveTo(start: number): void {
    this.start = start;
    this.sum = 0;
    this.weighted = 0;
    for (let index = 0; index < BLOCK_BYTES; index++) {
      const byte = this.bytes[start + index] ?? 0;
      this.sum += byte;
      this.weighted += (BLOCK_BYTES - index) * byte;
    }
  }

  advance(): void {
    const leaving = this.bytes[this.start] ?? 0;
    const entering = this.bytes[this.start + BLOCK_BYTES] ?? 0;
    this.sum = this.sum - leaving + entering;
    this.weighted = this.weighted - BLOCK_BYTES * leaving + this.sum;
    this.start++;
  }
}

export class BlockIndex {
  private readonly source: Uint8Array;
  /** By hash modulo the number of buckets: the last block with it. */
  private readonly heads: Int32Array;
  /** By block: the one before it in its bucket. */
  private readonly previous: Int32Array;

  constructor(source: Uint8Array) {
    this.source = source;
    const blockCount = Math.floor(source.length / BLOCK_BYTES);
    this.heads = new Int32Array(Math.max(blockCount, 1)).fill(-1);
    this.previous = new Int32Array(blockCount).fill(-1);
    const window = new RollingWindow(source, 0);
    for (let block = 0; block < blockCount; block++) {
      window.moveTo(block * BLOCK_BYTES);
      const bucket = window.hash % this.heads.length;
      this.previous[block] = this.heads[bucket] ?? -1;
      this.heads[bucket] = block;
    }
  }

  windowAt(target: Uint8Array, start: number): RollingWindow {
    return new RollingWindow(target, start);
  }

  /** The longest run around the window that the source has, extended in both directions; undefined when there is none. */
  longestMatch(target: Uint8Array, window: RollingWindow, range: MatchRange): BlockMatch | undefined {
    let best: BlockMatch | undefined;
    let block = this.heads[window.hash % this.heads.length] ?? -1;
    for (let tried = 0; block !== -1 && tried < MAX_CANDIDATES; tried++) {
      const match = this.extend(target, window.start, block * BLOCK_BYTES, range);
      if (best === undefined || match.targetEnd - match.targetStart > best.targetEnd - best.targetStart) best = match;
      block = this.previous[block] ?? -1;
    }
    return best;
  }

  private extend(target: Uint8Array, targetAt: number, sourceAt: number, range: MatchRange): BlockMatch {
    const shift = sourceAt - targetAt;
    let targetEnd = targetAt;
    const endLimit = Math.min(range.to, this.source.length - shift);
    while (targetEnd < endLimit && this.source[targetEnd + shift] === target[targetEnd]) targetEnd++;
    let targetStart = targetAt;
    const startLimit = Math.max(range.from, -shift);
    while (targetStart > startLimit && this.source[targetStart - 1 + shift] === target[targetStart - 1]) targetStart--;
    return { targetStart, targetEnd, sourceStart: targetStart + shift };
  }
}
