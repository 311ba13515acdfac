import { API_BAD_REQUEST, ApiError } from '@carillon/protocol/codes';
import { decodeBase64 } from '@carillon/protocol/wire';

/**
 * A payload and its `b64…` twin (server-api §2): the twin wins when it is not empty; error 107 if it is not base64.
 * Undefined: neither was given.
 */
export function requestPayload(data: Uint8Array | undefined, base64: string | undefined): Uint8Array | undefined {
  if (base64 === undefined || base64 === '') return data;
  const decoded = decodeBase64(base64);
  if (decoded === undefined) throw new ApiError(API_BAD_REQUEST);
  return decoded;
}
