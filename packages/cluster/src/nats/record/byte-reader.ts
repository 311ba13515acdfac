import { ProtocolViolation } from '@carillon/protocol/codes';

const MAX_UINT64 = 2n ** 64n - 1n;

/** Reads what ByteWriter wrote; throws ProtocolViolation on anything that is cut short or out of range. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#buffer.length - this.#at;
  }

  u8(): number {
    const value = this.#buffer[this.#at];
    if (value === undefined) throw new ProtocolViolation('record is cut short');
    this.#at += 1;
    return value;
  }

  u32(): number {
    if (this.remaining < 4) throw new ProtocolViolation('record is cut short');
    const value = this.#buffer.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new ProtocolViolation('number is out of range');
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  /** A bigint beyond 2^53 − 1. */
  varint64(): number | bigint {
    const start = this.#at;
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) return this.#bigVarint(start);
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  #bigVarint(start: number): bigint {
    this.#at = start;
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (value > MAX_UINT64) throw new ProtocolViolation('number is out of range');
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const { start, end } = this.#take(this.varint());
    return this.#buffer.toString('utf8', start, end);
  }

  /** A view of the buffer that is read. */
  bytes(): Uint8Array {
    const { start, end } = this.#take(this.varint());
    return this.#buffer.subarray(start, end);
  }

  /** A view of so many bytes. */
  raw(length: number): Buffer {
    const { start, end } = this.#take(length);
    return this.#buffer.subarray(start, end);
  }

  skip(length: number): void {
    this.#take(length);
  }

  #take(length: number): { start: number; end: number } {
    if (length > this.remaining) throw new ProtocolViolation('record is cut short');
    const start = this.#at;
    this.#at += length;
    return { start, end: this.#at };
  }
}
