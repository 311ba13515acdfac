import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { ByteSink } from '../wire/byte-sink.ts';
import { BlockIndex, BLOCK_BYTES, RollingWindow, type BlockMatch } from './fossil-block-index.ts';

// Patches in the fossil delta format (client-protocol.md §5.4).

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~';
const VALUES: ReadonlyMap<number, number> = new Map(Array.from(DIGITS, (digit, value) => [digit.charCodeAt(0), value]));

const NEWLINE = 0x0a;
const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const AT = 0x40;

export interface DeltaOptions {
  /**
   * Cut literals at character boundaries only, so that the patch of two UTF-8 texts is UTF-8 itself: in JSON a patch
   * travels as a string (D6). Default true; costs next to nothing.
   */
  readonly alignsUtf8?: boolean | undefined;
}

/** A patch that turns `source` into `target`. May be longer than the target: then the caller sends the target (D3). */
export function createDelta(source: Uint8Array, target: Uint8Array, options: DeltaOptions = {}): Uint8Array {
  const writer = new DeltaWriter(source, target, options.alignsUtf8 ?? true);
  writer.run();
  return writer.take();
}

/** compat: finds what the reference implementation of the format finds, so patches are the same, byte by byte. */
class DeltaWriter {
  private readonly source: Uint8Array;
  private readonly target: Uint8Array;
  private readonly alignsUtf8: boolean;
  private readonly sink = new ByteSink();
  /** Everything of the target before this is written. */
  private written = 0;

  constructor(source: Uint8Array, target: Uint8Array, alignsUtf8: boolean) {
    this.source = source;
    this.target = target;
    this.alignsUtf8 = alignsUtf8;
    this.sink.text(`${encodeInteger(target.length)}\n`);
  }

  run(): void {
    if (this.source.length > BLOCK_BYTES && this.target.length > BLOCK_BYTES) this.copyBlocks();
    this.literal(this.target.length);
  }

  take(): Uint8Array {
    this.sink.text(`${encodeInteger(checksum(this.target))};`);
    return this.sink.take();
  }

  private copyBlocks(): void {
    const { length } = this.target;
    const index = new BlockIndex(this.source);
    const window = new RollingWindow(this.target, 0);
    for (let from = 0; from + BLOCK_BYTES < length;) {
      const match = index.bestMatch(this.target, window, from);
      if (match !== undefined) {
        this.copy(match);
        from = match.targetEnd;
        window.moveTo(from);
      } else if (window.start + BLOCK_BYTES < length && !index.isExhausted) {
        window.advance();
      } else {
        return;
      }
    }
  }

  /** Writes a match as a copy, after the literal before it. */
  private copy(match: BlockMatch): void {
    const { targetStart, targetEnd, sourceStart } = this.alignsUtf8 ? this.aligned(match) : match;
    if (targetStart >= targetEnd) return;
    this.literal(targetStart);
    this.sink.text(`${encodeInteger(targetEnd - targetStart)}@${encodeInteger(sourceStart)},`);
    this.written = targetEnd;
  }

  /** The match without the parts of characters at its ends, which thus go into the literals beside it as a whole. */
  private aligned(match: BlockMatch): BlockMatch {
    let { targetStart, targetEnd } = match;
    while (targetStart < targetEnd && isContinuation(this.target[targetStart])) targetStart++;
    while (targetEnd > targetStart && isContinuation(this.target[targetEnd])) targetEnd--;
    return { targetStart, targetEnd, sourceStart: match.sourceStart + targetStart - match.targetStart };
  }

  private literal(end: number): void {
    if (end === this.written) return;
    this.sink.text(`${encodeInteger(end - this.written)}:`);
    this.sink.append(this.target.subarray(this.written, end));
    this.written = end;
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function encodeInteger(value: number): string {
  let text = '';
  let rest = value;
  do {
    text = DIGITS.charAt(rest % 64) + text;
    rest = Math.floor(rest / 64);
  } while (rest > 0);
  return text;
}

/** Sum of the big-endian 32-bit words, wrapping around; what is left at the end fills the high bytes of one more. */
function checksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wholeEnd = bytes.length - (bytes.length % 4);
  let sum = 0;
  for (let at = 0; at < wholeEnd; at += 4) sum = (sum + view.getUint32(at)) >>> 0;
  let last = 0;
  for (let at = wholeEnd; at < bytes.length; at++) last |= (bytes[at] ?? 0) << (24 - 8 * (at - wholeEnd));
  return (sum + (last >>> 0)) >>> 0;
}

/**
 * The target that a patch makes of a source, with the checks the SDKs do. Throws ProtocolViolation. For tests and for
 * clients of our own; the server itself never applies a patch.
 */
export function applyDelta(source: Uint8Array, delta: Uint8Array): Uint8Array {
  const reader = new DeltaReader(delta);
  const size = reader.integer();
  reader.expect(NEWLINE);
  const output = new ByteSink();
  for (let length = 0; ;) {
    const count = reader.integer();
    const operation = reader.byte();
    if (operation === SEMICOLON) return finished(output, size, count);
    length += count;
    if (length > size) throw new ProtocolViolation('the patch gives more than it says');
    if (operation === COLON) {
      output.append(reader.take(count));
    } else if (operation === AT) {
      const start = reader.integer();
      reader.expect(COMMA);
      if (start + count > source.length) throw new ProtocolViolation('the patch copies past the end of the source');
      output.append(source.subarray(start, start + count));
    } else {
      throw new ProtocolViolation('the patch has an unknown operation');
    }
  }
}

function finished(output: ByteSink, size: number, expectedSum: number): Uint8Array {
  const target = output.take();
  if (target.length !== size) throw new ProtocolViolation('the patch gives less than it says');
  if (checksum(target) !== expectedSum) throw new ProtocolViolation('the checksum of the patch is wrong');
  return target;
}

class DeltaReader {
  private readonly delta: Uint8Array;
  private position = 0;

  constructor(delta: Uint8Array) {
    this.delta = delta;
  }

  byte(): number {
    const byte = this.delta[this.position++];
    if (byte === undefined) throw new ProtocolViolation('the patch is cut short');
    return byte;
  }

  expect(byte: number): void {
    if (this.byte() !== byte) throw new ProtocolViolation('the patch is malformed');
  }

  integer(): number {
    let value = 0;
    const start = this.position;
    for (;;) {
      const digit = VALUES.get(this.delta[this.position] ?? -1);
      if (digit === undefined) break;
      value = value * 64 + digit;
      this.position++;
      if (value > 0xffff_ffff) throw new ProtocolViolation('a number of the patch is too large');
    }
    if (this.position === start) throw new ProtocolViolation('a number was expected in the patch');
    return value;
  }

  take(count: number): Uint8Array {
    const end = this.position + count;
    if (end > this.delta.length) throw new ProtocolViolation('the patch is cut short');
    const bytes = this.delta.subarray(this.position, end);
    this.position = end;
    return bytes;
  }
}
