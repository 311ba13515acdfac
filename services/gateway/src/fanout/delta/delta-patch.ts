import { isUtf8 } from 'node:buffer';
import { createDelta } from '@carillon/protocol/channel';
import { escapedJsonString } from '@carillon/protocol/wire';

/** How one publication differs from its predecessor. */
export interface DeltaPatch {
  readonly bytes: Uint8Array;
  /** May travel as a JSON string: nothing of it, nor of the predecessor, changes on the way through text (§5.2 D6). */
  readonly isText: boolean;
}

/** The patch that turns `base` into `data`, or undefined where it would not be shorter (§5.2 D3, D7). */
export function createPatch(base: Uint8Array, data: Uint8Array): DeltaPatch | undefined {
  const bytes = createDelta(base, data);
  if (bytes.byteLength >= data.byteLength) return undefined;
  return { bytes, isText: isUtf8(bytes) && isUtf8(base) };
}

/** The JSON string literal that holds a payload's text, or a patch (§5.2 D1). */
export function jsonStringOf(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return Buffer.from(escapedJsonString(text), 'utf8');
}
