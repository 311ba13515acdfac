import { ProtocolViolation } from '@carillon/protocol/codes';
import type { ClientInfo } from '@carillon/protocol/client';
import { ByteReader } from '../record/byte-reader.ts';
import { ByteWriter } from '../record/byte-writer.ts';
import { readInfo, writeInfo } from '../record/publication-body.ts';

const ENTRY_VERSION = 1;

/** One member as stored. Holds the node too, so that readers need not parse the subject out of the headers. */
export interface PresenceEntry {
  readonly nodeId: string;
  readonly info: ClientInfo;
}

const writer = new ByteWriter();

export function encodePresenceEntry({ nodeId, info }: PresenceEntry): Uint8Array {
  writer.u8(ENTRY_VERSION);
  writer.text(nodeId);
  writeInfo(writer, info);
  return writer.finish();
}

/** Throws ProtocolViolation on anything else. Byte fields are views of `bytes`. */
export function decodePresenceEntry(bytes: Uint8Array): PresenceEntry {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== ENTRY_VERSION) throw new ProtocolViolation('not a presence entry of a known version');
  return { nodeId: reader.text(), info: readInfo(reader) };
}
