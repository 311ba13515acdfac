import type { PublicationDataFormat } from '@carillon/protocol/channel';
import { isValidJson } from '@carillon/protocol/client';

const OPEN_BRACE = 0x7b;
const JSON_WHITESPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Whether a payload fits the format (channels-and-config.md §1.8). The namespace's own format if set, else that of the
 * `channel` group: {@link effectiveDataFormat}.
 */
export function isAcceptedPayload(format: PublicationDataFormat, data: Uint8Array): boolean {
  switch (format) {
    case 'binary':
      return true;
    case 'json':
      return isValidJson(data);
    case 'json_object':
      return startsAsObject(data) && isValidJson(data);
    default:
      return data.length > 0;
  }
}

export function effectiveDataFormat(
  ofNamespace: PublicationDataFormat,
  ofChannelGroup: PublicationDataFormat,
): PublicationDataFormat {
  return ofNamespace === '' ? ofChannelGroup : ofNamespace;
}

function startsAsObject(data: Uint8Array): boolean {
  for (const byte of data) {
    if (!JSON_WHITESPACE.has(byte)) return byte === OPEN_BRACE;
  }
  return false;
}
