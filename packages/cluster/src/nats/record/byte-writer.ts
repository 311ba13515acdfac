const INITIAL_BYTES = 4_096;
const KEPT_BYTES = 256 * 1_024;
const TWO_POW_28 = 0x10000000;

/** Texts up to this length are written by hand: that is faster than a call into the runtime. */
const SHORT_TEXT = 32;

/** Builds one binary record after another in a buffer of its own; `finish` gives a copy that is the caller's. */
export class ByteWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value >>> 0, this.#length);
  }

  /** An integer from 0 to 2^53 − 1, seven bits a byte. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= TWO_POW_28) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  /** An integer from 0 to 2^64 − 1; a bigint where a number cannot hold it. */
  varint64(value: number | bigint): void {
    if (typeof value === 'number') {
      this.varint(value);
      return;
    }
    let rest = value;
    while (rest >= 0x80n) {
      this.u8(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.u8(Number(rest));
  }

  text(value: string): void {
    if (value.length <= SHORT_TEXT && this.#ascii(value)) return;
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.#reserve(length);
    this.#length += this.#buffer.write(value, this.#length);
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** Bytes written since the last `finish` or `moveTo`. */
  get length(): number {
    return this.#length;
  }

  /** What was written since the last `finish` or `moveTo`. */
  finish(): Buffer {
    const copy = Buffer.allocUnsafe(this.#length);
    this.moveTo(copy, 0);
    return copy;
  }

  /** As `finish`, into memory of the caller. */
  moveTo(target: Buffer, at: number): void {
    this.#buffer.copy(target, at, 0, this.#length);
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  /** Forgets what was written. */
  clear(): void {
    this.#length = 0;
  }

  /** False when there is another character; nothing was written then. */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(length + 1);
    const buffer = this.#buffer;
    const start = this.#length + 1;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      buffer[start + index] = code;
    }
    buffer[start - 1] = length;
    this.#length = start + length;
    return true;
  }

  #reserve(extraBytes: number): void {
    const wanted = this.#length + extraBytes;
    if (wanted <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
