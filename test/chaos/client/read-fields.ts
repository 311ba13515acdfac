/** The value of a field: a number, or the bytes of a string, message or byte string. */
export type Value = number | Uint8Array;

/** Calls `take` for each field of a protobuf message. Written by hand, so that tests do not trust the schema they check. */
export function readFields(bytes: Uint8Array, take: (number: number, value: Value) => void): void {
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    const type = tag % 8;
    if (type !== 0 && type !== 2) throw new Error(`wire type ${type} in field ${Math.floor(tag / 8)}`);
    const value = readVarint(bytes, cursor);
    if (type === 0) {
      take(Math.floor(tag / 8), value);
      continue;
    }
    if (cursor.at + value > bytes.length) throw new Error('a field beyond the end of its message');
    take(Math.floor(tag / 8), bytes.subarray(cursor.at, cursor.at + value));
    cursor.at += value;
  }
}

/** The messages of a frame, each behind its length. */
export function readMessages(frame: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const cursor = { at: 0 };
  while (cursor.at < frame.length) {
    const length = readVarint(frame, cursor);
    if (cursor.at + length > frame.length) throw new Error('a message beyond the end of its frame');
    messages.push(frame.subarray(cursor.at, cursor.at + length));
    cursor.at += length;
  }
  return messages;
}

export function textOf(value: Value): string {
  return typeof value === 'number' ? String(value) : Buffer.from(value).toString();
}

export function bytesOf(value: Value): Uint8Array {
  return typeof value === 'number' ? new Uint8Array() : value;
}

export function numberOf(value: Value): number {
  return typeof value === 'number' ? value : Number.NaN;
}

function readVarint(bytes: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  for (let scale = 1; cursor.at < bytes.length; scale *= 128) {
    const byte = bytes[cursor.at] ?? 0;
    cursor.at += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
  throw new Error('a varint without an end');
}
