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

/** compat: such a part of a query counts as absent, as with net/url of Go. */
const UNREADABLE_PART = /;|%(?![0-9a-f]{2})/i;

/** The decoded value of `cf_connect`; '' when there is none. */
export function connectParameter(query: string): string {
  if (!query.includes('cf_connect')) return '';
  const readable = query.split('&').filter((part) => !UNREADABLE_PART.test(part));
  return new URLSearchParams(readable.join('&')).get('cf_connect') ?? '';
}
