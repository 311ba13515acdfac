import type { PublicationDataFormat } from '@carillon/protocol/channel';
import { isJsonObject, isValidJson } from '@carillon/protocol/wire';

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
      return isJsonObject(data);
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
