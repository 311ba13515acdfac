import { ClientError, INTERNAL_ERROR } from '@carillon/protocol/codes';
import { decodeBase64 } from '@carillon/protocol/wire';

/**
 * Bytes that a backend gave as raw JSON or in the `b64…` twin, which wins where both are there (proxy.md §3.3).
 * Throws error 100 where the base64 does not decode.
 */
export function backendBytes(base64: string | undefined, raw: Uint8Array | undefined): Uint8Array | undefined {
  if (base64 === undefined) return raw;
  const bytes = decodeBase64(base64);
  if (bytes === undefined) throw new ClientError(INTERNAL_ERROR);
  return bytes;
}

/** Like `backendBytes`, for answers that nobody waits for: 'malformed' instead of an error. */
export function backendBytesOrMalformed(
  base64: string | undefined,
  raw: Uint8Array | undefined,
): Uint8Array | 'malformed' | undefined {
  return base64 === undefined ? raw : (decodeBase64(base64) ?? 'malformed');
}
