// Where the blocks of a source stand, found again in a target by a rolling hash.

/** Size of the blocks that are looked up; shorter matches inside a text are not found. */
export const BLOCK_BYTES = 16;
/** compat: blocks of one bucket that are tried per position, as many as the reference implementation tries. */
const MAX_CANDIDATES = 249;
/** Bytes that one search may compare: far more than usual texts need, as much as texts of one repeated block may cost. */
const MAX_COMPARED_BYTES = 32 * 1024 * 1024;
/** What a literal and a copy take beside their numbers. */
const SEPARATORS = 3;

/** A run of the target that stands somewhere in the source. */
export interface BlockMatch {
  readonly targetStart: number;
  readonly targetEnd: number;
  readonly sourceStart: number;
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

/** How many digits base 64 takes for it. */
function digitsOf(value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 64; rest = Math.floor(rest / 64)) digits++;
  return digits;
}

export class BlockIndex {
  private readonly source: Uint8Array;
  /** By hash modulo the number of buckets: the last block with it. */
  private readonly heads: Int32Array;
  /** By block: the one before it in its bucket. */
  private readonly previous: Int32Array;
  private comparable = MAX_COMPARED_BYTES;

  /** Of a source that is longer than a block. */
  constructor(source: Uint8Array) {
    this.source = source;
    const blockCount = Math.floor(source.length / BLOCK_BYTES);
    this.heads = new Int32Array(blockCount).fill(-1);
    this.previous = new Int32Array(blockCount).fill(-1);
    const window = new RollingWindow(source, 0);
    // compat: a block that ends with the source is not looked up.
    for (let start = 0; start < source.length - BLOCK_BYTES; start += BLOCK_BYTES) {
      window.moveTo(start);
      const block = start / BLOCK_BYTES;
      const bucket = window.hash % blockCount;
      this.previous[block] = this.heads[bucket] ?? -1;
      this.heads[bucket] = block;
    }
  }

  /** More was compared than may be: whatever is left is not worth the time. */
  get isExhausted(): boolean {
    return this.comparable <= 0;
  }

  /**
   * The longest run around the window that the source has, from `from` on; undefined where none is shorter as a copy.
   * Blocks whose hash shares the bucket only are tried as well: they may begin as the window does.
   */
  bestMatch(target: Uint8Array, window: RollingWindow, from: number): BlockMatch | undefined {
    let best: BlockMatch | undefined;
    let bestCount = 0;
    let block = this.heads[window.hash % this.heads.length] ?? -1;
    for (let tried = 0; block !== -1 && tried < MAX_CANDIDATES && this.comparable > 0; tried++) {
      const sourceAt = block * BLOCK_BYTES;
      const ahead = this.equalAhead(target, window.start, sourceAt);
      const behind = this.equalBehind(target, { targetAt: window.start, sourceAt, from });
      const count = ahead + behind;
      const sourceStart = sourceAt - behind;
      const targetStart = window.start - behind;
      const cost = digitsOf(targetStart - from) + digitsOf(count) + digitsOf(sourceStart) + SEPARATORS;
      if (count >= cost && count > bestCount) {
        bestCount = count;
        best = { targetStart, targetEnd: targetStart + count, sourceStart };
      }
      this.comparable -= count + 1;
      block = this.previous[block] ?? -1;
    }
    return best;
  }

  private equalAhead(target: Uint8Array, targetAt: number, sourceAt: number): number {
    const limit = Math.min(this.source.length - sourceAt, target.length - targetAt);
    let count = 0;
    while (count < limit && this.source[sourceAt + count] === target[targetAt + count]) count++;
    return count;
  }

  /** compat: never down to the first byte of the source, but for a block that begins there. */
  private equalBehind(target: Uint8Array, { targetAt, sourceAt, from }: Standing): number {
    const limit = Math.min(Math.max(sourceAt - 1, 0), targetAt - from);
    let count = 0;
    while (count < limit && this.source[sourceAt - 1 - count] === target[targetAt - 1 - count]) count++;
    return count;
  }
}

/** Where a block of the source is held against the target, whose bytes before `from` are done. */
interface Standing {
  readonly targetAt: number;
  readonly sourceAt: number;
  readonly from: number;
}
