import type { RefreshRequest, RefreshResult } from '@carillon/protocol/api';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { commandSessions } from './command-sessions.ts';
import { selectSessions } from './select-sessions.ts';

/** `refresh` (server-api §7.6). */
export function createRefresh({ control }: Pick<MethodDeps, 'control'>): MethodHandler<RefreshRequest, RefreshResult> {
  return async (request) => {
    await commandSessions(control, {
      kind: 'refresh',
      select: selectSessions(request),
      expired: request.expired ?? false,
      expireAt: request.expireAt ?? 0,
      info: request.info,
    });
    return {};
  };
}
