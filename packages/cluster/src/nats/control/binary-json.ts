// JSON with bytes and maps in it, for messages between nodes: bytes travel as they are, behind the text.
import { OperationalError } from '@carillon/service-kit';

const LENGTH_BYTES = 4;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Length of the text, the text, then all bytes; in the text stands where each of them is. */
export function encodeBinaryJson(value: unknown): Uint8Array {
  const blobs: Uint8Array[] = [];
  let blobBytes = 0;
  const pack = (item: unknown): unknown => {
    if (item instanceof Uint8Array) {
      blobs.push(item);
      blobBytes += item.length;
      return { $bytes: [blobBytes - item.length, item.length] };
    }
    if (item instanceof Map) return { $map: [...item].map(([key, member]) => [key, pack(member)]) };
    if (Array.isArray(item)) return item.map(pack);
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([key, member]) => [key, pack(member)]));
  };
  const text = encoder.encode(JSON.stringify(pack(value)));
  const message = new Uint8Array(LENGTH_BYTES + text.length + blobBytes);
  new DataView(message.buffer).setUint32(0, text.length);
  message.set(text, LENGTH_BYTES);
  let offset = LENGTH_BYTES + text.length;
  for (const blob of blobs) {
    message.set(blob, offset);
    offset += blob.length;
  }
  return message;
}

/** What {@link encodeBinaryJson} was given, bytes as copies of their own; an OperationalError for anything else. */
export function decodeBinaryJson(message: Uint8Array): unknown {
  try {
    const textLength = new DataView(message.buffer, message.byteOffset, message.byteLength).getUint32(0);
    const end = LENGTH_BYTES + textLength;
    if (end > message.length) throw new RangeError('the text is cut off');
    return unpack(JSON.parse(decoder.decode(message.subarray(LENGTH_BYTES, end))), message.subarray(end));
  } catch (cause) {
    throw new OperationalError('control_malformed', 'a message from another node can not be read', { cause });
  }
}

function unpack(item: unknown, blobs: Uint8Array): unknown {
  if (Array.isArray(item)) return item.map((member) => unpack(member, blobs));
  if (typeof item !== 'object' || item === null) return item;
  if ('$bytes' in item) return unpackBytes(item.$bytes, blobs);
  if ('$map' in item) return unpackMap(item.$map, blobs);
  return Object.fromEntries(Object.entries(item).map(([key, member]) => [key, unpack(member, blobs)]));
}

function unpackBytes(place: unknown, blobs: Uint8Array): Uint8Array {
  const [start, length]: unknown[] = Array.isArray(place) ? place : [];
  if (typeof start !== 'number' || typeof length !== 'number' || start < 0 || start + length > blobs.length) {
    throw new RangeError('bytes are outside the message');
  }
  // A copy, and no Buffer: a view would keep the whole chunk of the socket for as long as a session keeps its info.
  return new Uint8Array(blobs.subarray(start, start + length));
}

function unpackMap(entries: unknown, blobs: Uint8Array): Map<unknown, unknown> {
  if (!Array.isArray(entries)) throw new RangeError('a map is no list');
  const map = new Map<unknown, unknown>();
  for (const entry of entries) {
    const [key, member]: unknown[] = Array.isArray(entry) ? entry : [];
    map.set(key, unpack(member, blobs));
  }
  return map;
}
