import { ProtocolViolation } from '../codes/protocol-violation.ts';

// Reads JSON tokens out of UTF-8 bytes. Knows the grammar, not the messages.

/** Containers nested deeper than this are refused, inside raw payloads too; the same bound as the reference's decoder. */
export const MAX_JSON_DEPTH = 10_000;

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const MAX_INT32 = 2 ** 31 - 1;
const MIN_INT32 = -(2 ** 31);
const MAX_UINT32 = 2 ** 32 - 1;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/** One per document; every method leaves the position just after what it read or throws ProtocolViolation. */
export class JsonScanner {
  private readonly bytes: Buffer;
  private position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.position;
  }

  /** The bytes from `start` to the position, as a view. */
  since(start: number): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + start, this.position - start);
  }

  /** Skips whitespace and gives the byte that follows without taking it; NaN at the end. */
  peek(): number {
    for (;;) {
      const byte = this.bytes[this.position];
      if (byte === undefined) return Number.NaN;
      if (byte !== SPACE && byte !== NEWLINE && byte !== TAB && byte !== RETURN) return byte;
      this.position++;
    }
  }

  isAtEnd(): boolean {
    return Number.isNaN(this.peek());
  }

  /** Takes `null` if it is next. */
  takeNull(): boolean {
    if (this.peek() !== LOWER_N) return false;
    this.takeWord('null');
    return true;
  }

  /** Enters an object; false when it is empty (and then it is left already). */
  openObject(): boolean {
    if (this.peek() !== OPEN_BRACE) throw new ProtocolViolation('an object was expected');
    this.position++;
    if (this.peek() !== CLOSE_BRACE) return true;
    this.position++;
    return false;
  }

  /** After a member: true when another follows, false when the object ended. */
  nextMember(): boolean {
    const byte = this.peek();
    this.position++;
    if (byte === COMMA) return true;
    if (byte === CLOSE_BRACE) return false;
    throw new ProtocolViolation('"," or "}" was expected');
  }

  openArray(): boolean {
    if (this.peek() !== OPEN_BRACKET) throw new ProtocolViolation('an array was expected');
    this.position++;
    if (this.peek() !== CLOSE_BRACKET) return true;
    this.position++;
    return false;
  }

  nextElement(): boolean {
    const byte = this.peek();
    this.position++;
    if (byte === COMMA) return true;
    if (byte === CLOSE_BRACKET) return false;
    throw new ProtocolViolation('"," or "]" was expected');
  }

  takeColon(): void {
    if (this.peek() !== COLON) throw new ProtocolViolation('":" was expected');
    this.position++;
  }

  /** Takes the string that is next if it is, letter by letter, one of these; spares making a string of each key. */
  takeOneOf<T extends { readonly keyBytes: Uint8Array }>(candidates: readonly T[]): T | undefined {
    if (this.peek() !== QUOTE) return undefined;
    const start = this.position + 1;
    for (const candidate of candidates) {
      const end = start + candidate.keyBytes.length;
      if (this.bytes[end] !== QUOTE || !this.hasAt(start, candidate.keyBytes)) continue;
      this.position = end + 1;
      return candidate;
    }
    return undefined;
  }

  private hasAt(start: number, expected: Uint8Array): boolean {
    for (let index = 0; index < expected.length; index++) {
      if (this.bytes[start + index] !== expected[index]) return false;
    }
    return true;
  }

  /** Escapes are resolved; what is not Unicode (bad UTF-8, lone surrogates) becomes U+FFFD. */
  readString(): string {
    const start = this.openString();
    const plainEnd = this.skipPlain();
    if (this.bytes[plainEnd] === QUOTE) {
      this.position = plainEnd + 1;
      return this.bytes.toString('latin1', start, plainEnd);
    }
    this.position = start - 1;
    const hasEscape = this.skipString();
    if (!hasEscape) return this.bytes.toString('utf8', start, this.position - 1);
    const unescaped: unknown = JSON.parse(this.bytes.toString('utf8', start - 1, this.position));
    if (typeof unescaped !== 'string') throw new ProtocolViolation('a string was expected');
    return unescaped.toWellFormed();
  }

  readBoolean(): boolean {
    const byte = this.peek();
    if (byte === LOWER_T) {
      this.takeWord('true');
      return true;
    }
    if (byte !== LOWER_F) throw new ProtocolViolation('a boolean was expected');
    this.takeWord('false');
    return false;
  }

  readDouble(): number {
    this.peek();
    const start = this.position;
    this.skipNumber();
    const value = Number(this.bytes.toString('latin1', start, this.position));
    if (!Number.isFinite(value)) throw new ProtocolViolation('the number is out of range');
    return value;
  }

  readInt32(): number {
    const value = this.readSmallInteger();
    if (value > MAX_INT32 || value < MIN_INT32) throw new ProtocolViolation('the number does not fit 32 bits');
    return value;
  }

  readUint32(): number {
    if (this.peek() === MINUS) throw new ProtocolViolation('the number must not be negative');
    const value = this.readSmallInteger();
    if (value > MAX_UINT32) throw new ProtocolViolation('the number does not fit 32 bits');
    return value;
  }

  /** Clamped to ±(2^53 − 1); beyond 64 bits is a violation. */
  readInt64(): number {
    const value = this.readSmallInteger();
    return Number.isSafeInteger(value) ? value : this.clampLast(MIN_INT64, MAX_INT64);
  }

  /** Clamped to 2^53 − 1; beyond 64 bits is a violation. */
  readUint64(): number {
    if (this.peek() === MINUS) throw new ProtocolViolation('the number must not be negative');
    const value = this.readSmallInteger();
    return Number.isSafeInteger(value) ? value : this.clampLast(0n, MAX_UINT64);
  }

  /** A bigint beyond 2^53 − 1; beyond 64 bits is a violation. */
  readExactUint64(): number | bigint {
    if (this.peek() === MINUS) throw new ProtocolViolation('the number must not be negative');
    const value = this.readSmallInteger();
    return Number.isSafeInteger(value) ? value : this.exactLast(0n, MAX_UINT64);
  }

  /** Takes any one value and proves that it is JSON. Not recursive: depth costs memory only. */
  skipValue(): void {
    // One entry per open container: true for an object.
    const open: boolean[] = [];
    for (;;) {
      const byte = this.peek();
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        const isObject = byte === OPEN_BRACE;
        if (open.length >= MAX_JSON_DEPTH) throw new ProtocolViolation('the value is nested too deep');
        if (isObject ? this.openObject() : this.openArray()) {
          open.push(isObject);
          if (isObject) this.skipKey();
          continue;
        }
      } else {
        this.skipScalar(byte);
      }
      if (!this.climb(open)) return;
    }
  }

  /** After a value: leaves the containers that end here; false when none is left open. */
  private climb(open: boolean[]): boolean {
    for (;;) {
      const isObject = open.at(-1);
      if (isObject === undefined) return false;
      if (isObject ? this.nextMember() : this.nextElement()) {
        if (isObject) this.skipKey();
        return true;
      }
      open.pop();
    }
  }

  private skipKey(): void {
    this.skipString();
    this.takeColon();
  }

  private skipScalar(byte: number): void {
    if (byte === QUOTE) this.skipString();
    else if (byte === LOWER_T) this.takeWord('true');
    else if (byte === LOWER_F) this.takeWord('false');
    else if (byte === LOWER_N) this.takeWord('null');
    else this.skipNumber();
  }

  private openString(): number {
    if (this.peek() !== QUOTE) throw new ProtocolViolation('a string was expected');
    this.position++;
    return this.position;
  }

  /** The first byte from the position on that is not a plain printable ASCII character of a string. */
  private skipPlain(): number {
    let at = this.position;
    for (;;) {
      const byte = this.bytes[at];
      if (byte === undefined || byte === QUOTE || byte === BACKSLASH || byte < SPACE || byte >= 0x80) return at;
      at++;
    }
  }

  /** Takes a string and proves its escapes; true when it has any. */
  private skipString(): boolean {
    let at = this.openString();
    let hasEscape = false;
    for (;;) {
      const byte = this.bytes[at++];
      if (byte === QUOTE) break;
      if (byte === undefined || byte < SPACE) throw new ProtocolViolation('the string does not end');
      if (byte === BACKSLASH) {
        hasEscape = true;
        at = this.skipEscape(at);
      }
    }
    this.position = at;
    return hasEscape;
  }

  private skipEscape(at: number): number {
    const byte = this.bytes[at];
    if (byte === undefined || !isEscapable(byte)) throw new ProtocolViolation('unknown escape in a string');
    if (byte !== LOWER_U) return at + 1;
    for (let digit = at + 1; digit < at + 5; digit++) {
      if (!isHexDigit(this.bytes[digit])) throw new ProtocolViolation('unknown escape in a string');
    }
    return at + 5;
  }

  private takeWord(word: 'true' | 'false' | 'null'): void {
    for (let index = 0; index < word.length; index++) {
      if (this.bytes[this.position + index] !== word.charCodeAt(index)) throw new ProtocolViolation('unknown word');
    }
    this.position += word.length;
  }

  private skipNumber(): void {
    this.skipInteger();
    if (this.bytes[this.position] === DOT) {
      this.position++;
      this.skipDigits();
    }
    const byte = this.bytes[this.position];
    if (byte !== LOWER_E && byte !== UPPER_E) return;
    this.position++;
    const sign = this.bytes[this.position];
    if (sign === PLUS || sign === MINUS) this.position++;
    this.skipDigits();
  }

  private skipInteger(): void {
    if (this.bytes[this.position] === MINUS) this.position++;
    if (this.bytes[this.position] === ZERO) this.position++;
    else this.skipDigits();
  }

  private skipDigits(): void {
    const start = this.position;
    while (isDigit(this.bytes[this.position])) this.position++;
    if (this.position === start) throw new ProtocolViolation('a value was expected');
  }

  private lastNumberStart = 0;

  /** Exact when the result is a safe integer. Fractions and exponents are violations, as is anything but a number. */
  private readSmallInteger(): number {
    this.peek();
    const start = this.position;
    this.lastNumberStart = start;
    this.skipInteger();
    const next = this.bytes[this.position];
    if (next === DOT || next === LOWER_E || next === UPPER_E) throw new ProtocolViolation('an integer was expected');
    if (this.position - start > 15) return Number(this.bytes.toString('latin1', start, this.position));
    const isNegative = this.bytes[start] === MINUS;
    let value = 0;
    for (let at = isNegative ? start + 1 : start; at < this.position; at++) {
      value = value * 10 + ((this.bytes[at] ?? ZERO) - ZERO);
    }
    return isNegative && value !== 0 ? -value : value;
  }

  private clampLast(least: bigint, greatest: bigint): number {
    return this.exactLast(least, greatest) < 0n ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
  }

  private exactLast(least: bigint, greatest: bigint): bigint {
    const digits = this.position - this.lastNumberStart;
    // Longer than any 64-bit number: not worth a conversion whose cost grows with the square of the length.
    if (digits > 20) throw new ProtocolViolation('the number does not fit 64 bits');
    const exact = BigInt(this.bytes.toString('latin1', this.lastNumberStart, this.position));
    if (exact < least || exact > greatest) throw new ProtocolViolation('the number does not fit 64 bits');
    return exact;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
}

const ESCAPABLE: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrtu'));

function isEscapable(byte: number): boolean {
  return ESCAPABLE.has(byte);
}
