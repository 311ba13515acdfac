import { decodeBase64 } from '@carillon/protocol/wire';

/** A payload that a backend or token gave in one of two fields; `invalid` where its base64 cannot be decoded. */
export type ReplyPayload =
  | { readonly kind: 'payload'; readonly data: Uint8Array | undefined }
  | { readonly kind: 'invalid' };

/** Base64 wins where both are there: info and data of connect, subscribe and refresh, data of rpc (proxy.md §6). */
export function preferBase64(b64: string | undefined, data: Uint8Array | undefined): ReplyPayload {
  if (b64 === undefined || b64 === '') return { kind: 'payload', data };
  const decoded = decodeBase64(b64);
  return decoded === undefined ? { kind: 'invalid' } : { kind: 'payload', data: decoded };
}

/** Plain data wins where both are there, also a JSON null: publish and map publish (proxy.md §6.4). */
export function preferData(data: Uint8Array | undefined, b64: string | undefined): ReplyPayload {
  return data === undefined ? preferBase64(b64, undefined) : { kind: 'payload', data };
}
