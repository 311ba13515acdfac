// Protobuf by hand: field numbers and wire types only, so that tests do not trust the schema they check.

export type FieldValue = number | bigint | string | Uint8Array;

/** One encoded field. Text and bytes are length-delimited, numbers are varints. */
export function field(number: number, value: FieldValue): Uint8Array {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return Buffer.concat([varint(BigInt(number) << 3n), varint(BigInt(value))]);
  }
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(bytes.length)), bytes]);
}

export function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

/** Length-delimited messages, one after the other: a frame. */
export function frame(...messages: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(messages.flatMap((bytes) => [varint(BigInt(bytes.length)), bytes]));
}

/** The messages of a frame. */
export function splitFrame(bytes: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [length, next] = readVarint(bytes, at);
    messages.push(bytes.subarray(next, next + Number(length)));
    at = next + Number(length);
  }
  return messages;
}

/** The fields of a message by number, in order. */
export class Fields {
  readonly #values: Map<number, (bigint | Uint8Array)[]> = new Map();

  constructor(bytes: Uint8Array) {
    let at = 0;
    while (at < bytes.length) {
      const [tag, next] = readVarint(bytes, at);
      const number = Number(tag >> 3n);
      const [value, stop] = readValue(bytes, next, { type: Number(tag & 7n), number });
      this.#values.set(number, [...(this.#values.get(number) ?? []), value]);
      at = stop;
    }
  }

  has(number: number): boolean {
    return this.#values.has(number);
  }

  number(number: number): number {
    const value = this.#values.get(number)?.[0] ?? 0n;
    return typeof value === 'bigint' ? Number(value) : Number.NaN;
  }

  bytes(number: number): Uint8Array {
    const value = this.#values.get(number)?.[0];
    return value instanceof Uint8Array ? value : new Uint8Array();
  }

  /** Each of a repeated submessage. */
  messages(number: number): Fields[] {
    const values = this.#values.get(number) ?? [];
    return values.map((value) => new Fields(value instanceof Uint8Array ? value : new Uint8Array()));
  }

  /** A fixed 64-bit number. */
  fixed64(number: number): bigint {
    return Buffer.from(this.bytes(number)).readBigUInt64LE();
  }

  text(number: number): string {
    return Buffer.from(this.bytes(number)).toString();
  }

  /** A submessage; empty if absent. */
  message(number: number): Fields {
    return new Fields(this.bytes(number));
  }

  get numbers(): number[] {
    return [...this.#values.keys()].sort((one, other) => one - other);
  }
}

/** Fixed numbers stay bytes. */
function readValue(
  bytes: Uint8Array,
  at: number,
  { type, number }: { readonly type: number; readonly number: number },
): [bigint | Uint8Array, number] {
  if (type === 1 || type === 5) {
    const end = at + (type === 1 ? 8 : 4);
    return [bytes.subarray(at, end), end];
  }
  if (type !== 0 && type !== 2) throw new Error(`wire type ${type} in field ${number}`);
  const [value, end] = readVarint(bytes, at);
  if (type === 0) return [value, end];
  const stop = end + Number(value);
  return [bytes.subarray(end, stop), stop];
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

function readVarint(bytes: Uint8Array, from: number): [bigint, number] {
  let value = 0n;
  for (let at = from, shift = 0n; at < bytes.length; at += 1, shift += 7n) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at + 1];
  }
  throw new Error('a varint without an end');
}
