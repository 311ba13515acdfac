import type { ClientErrorCode, DisconnectCode } from '@carillon/protocol/codes';

/** What a client gets that may not do what it asked for: an error in the reply, or the end of its connection. */
export type Refusal =
  | { readonly kind: 'error'; readonly error: ClientErrorCode }
  | { readonly kind: 'disconnect'; readonly disconnect: DisconnectCode };

export function refuse(error: ClientErrorCode): Refusal {
  return { kind: 'error', error };
}

export function refuseConnection(disconnect: DisconnectCode): Refusal {
  return { kind: 'disconnect', disconnect };
}
