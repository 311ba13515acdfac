// Where encoders write. Grows by doubling; one belongs to each codec and serves one message after the other, which is
// safe because an encoder never waits.

const FIRST_CAPACITY_BYTES = 512;
/** A sink that had to grow beyond this for one large message gives the memory back afterwards. */
const KEPT_CAPACITY_BYTES = 64 * 1024;
/** Up to here a loop over ASCII characters is faster than the call into the engine. */
const SHORT_TEXT_CHARACTERS = 12;

export class ByteSink {
  private bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES);
  private length = 0;

  /** Forgets what an encoder that threw has left. */
  reset(): void {
    this.length = 0;
  }

  /** A copy of all that was written; the sink is empty afterwards. */
  take(): Uint8Array {
    // From the pool of small buffers: memory of its own costs ten times as much as the rest of a small message.
    const pooled = Buffer.allocUnsafe(this.length);
    pooled.set(this.bytes.subarray(0, this.length));
    this.length = 0;
    if (this.bytes.length > KEPT_CAPACITY_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES);
    return new Uint8Array(pooled.buffer, pooled.byteOffset, pooled.length);
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** UTF-8; lone surrogates become U+FFFD. */
  text(text: string): void {
    this.reserve(text.length * 3);
    if (text.length <= SHORT_TEXT_CHARACTERS && this.shortText(text)) return;
    this.length += this.bytes.write(text, this.length, 'utf8');
  }

  private shortText(text: string): boolean {
    const start = this.length;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) return false;
      this.bytes[start + index] = code;
    }
    this.length = start + text.length;
    return true;
  }

  /** Unsigned LEB128 of a safe integer ≥ 0. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = rest < 2 ** 31 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  /** Unsigned LEB128 of what a number cannot hold. */
  bigVarint(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  double(value: number): void {
    this.reserve(8);
    this.length = this.bytes.writeDoubleLE(value, this.length);
  }

  /** Starts something that its length precedes; give the result to {@link endDelimited}. */
  beginDelimited(): number {
    this.byte(0);
    return this.length;
  }

  /** Fills in the length. Most are below 128; a longer one moves the content to make room. */
  endDelimited(start: number): void {
    const size = this.length - start;
    if (size < 0x80) {
      this.bytes[start - 1] = size;
      return;
    }
    const lengthBytes = varintLength(size);
    this.reserve(lengthBytes - 1);
    this.bytes.copyWithin(start + lengthBytes - 1, start, this.length);
    this.length = start - 1;
    this.varint(size);
    this.length += size;
  }

  private reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.grow(count);
  }

  private grow(count: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}
