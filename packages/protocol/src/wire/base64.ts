const STANDARD = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Bytes of the `b64…` companions (server-api.md §2): standard alphabet, padding required, line breaks inside accepted.
 * Undefined for anything else.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const compact = text.replaceAll(/[\r\n]/g, '');
  if (compact.length % 4 !== 0 || !STANDARD.test(compact)) return undefined;
  return new Uint8Array(Buffer.from(compact, 'base64'));
}
