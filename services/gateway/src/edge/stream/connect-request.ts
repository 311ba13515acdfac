import { decodeConnectRequest } from '@carillon/protocol/client';
import { ProtocolViolation } from '@carillon/protocol/codes';

/** A connect request that says nothing. */
export const EMPTY_CONNECT_REQUEST: Uint8Array = new TextEncoder().encode('{}');

/** The connect request of a unidirectional client as a session gets it: JSON text, proved to be decodable. */
export function connectRequestFromBody(body: Uint8Array): Uint8Array | 'malformed' {
  try {
    decodeConnectRequest(body);
    return body;
  } catch (error) {
    if (error instanceof ProtocolViolation) return 'malformed';
    throw error;
  }
}

/** `absent`: no or an empty `cf_connect`, or a literal `null`. */
export function connectRequestFromQuery(query: string): Uint8Array | 'absent' | 'malformed' {
  const text = connectParameter(query);
  if (text === '' || text.trim() === 'null') return 'absent';
  return connectRequestFromBody(new TextEncoder().encode(text));
}

/** The decoded value of `cf_connect`; '' when there is none. */
export function connectParameter(query: string): string {
  return query.includes('cf_connect') ? (new URLSearchParams(query).get('cf_connect') ?? '') : '';
}
