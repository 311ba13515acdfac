// Codes of unsubscribe pushes (client-protocol.md §3.8).

export interface UnsubscribeCode {
  readonly code: number;
  readonly reason: string;
}

function row(code: number, reason: string): UnsubscribeCode {
  return Object.freeze({ code, reason });
}

/** Never sent: the client asked for it itself. */
export const UNSUBSCRIBE_CLIENT: UnsubscribeCode = row(0, 'client unsubscribed');
/** Never sent: the connection is gone. */
export const UNSUBSCRIBE_DISCONNECT: UnsubscribeCode = row(1, 'client disconnected');
export const UNSUBSCRIBE_SERVER: UnsubscribeCode = row(2000, 'server unsubscribe');
export const UNSUBSCRIBE_INSUFFICIENT_STATE: UnsubscribeCode = row(2500, 'insufficient state');
export const UNSUBSCRIBE_EXPIRED: UnsubscribeCode = row(2501, 'subscription expired');
export const UNSUBSCRIBE_STATE_INVALIDATED: UnsubscribeCode = row(2502, 'state invalidated');

/** Every unsubscribe code of the server itself, in order of code. */
export const UNSUBSCRIBES: readonly UnsubscribeCode[] = Object.freeze([
  UNSUBSCRIBE_CLIENT,
  UNSUBSCRIBE_DISCONNECT,
  UNSUBSCRIBE_SERVER,
  UNSUBSCRIBE_INSUFFICIENT_STATE,
  UNSUBSCRIBE_EXPIRED,
  UNSUBSCRIBE_STATE_INVALIDATED,
]);

/** Whether an SDK subscribes again by itself after this code. */
export function isResubscribeCode(code: number): boolean {
  return code >= 2500;
}
