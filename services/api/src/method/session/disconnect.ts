import type { DisconnectBody, DisconnectRequest, DisconnectResult } from '@carillon/protocol/api';
import {
  API_BAD_REQUEST,
  ApiError,
  DISCONNECT_FORCED,
  MAX_DISCONNECT_REASON_BYTES,
  type DisconnectCode,
} from '@carillon/protocol/codes';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { commandSessions } from './command-sessions.ts';
import { selectSessions } from './select-sessions.ts';

const MIN_CODE = 3_000;
const MAX_CODE = 4_999;

/** `disconnect` (server-api §7.5). */
export function createDisconnect({
  control,
}: Pick<MethodDeps, 'control'>): MethodHandler<DisconnectRequest, DisconnectResult> {
  return async (request) => {
    const { code, reason } = request.disconnect === undefined ? DISCONNECT_FORCED : customCode(request.disconnect);
    const whitelist = request.whitelist ?? [];
    await commandSessions(control, { kind: 'disconnect', select: selectSessions(request), code, reason, whitelist });
    return {};
  };
}

/** Error 107 for what a close frame cannot carry. */
function customCode({ code = 0, reason = '' }: DisconnectBody): DisconnectCode {
  const isValid = code >= MIN_CODE && code <= MAX_CODE && Buffer.byteLength(reason) <= MAX_DISCONNECT_REASON_BYTES;
  if (!isValid) throw new ApiError(API_BAD_REQUEST);
  return { code, reason };
}
