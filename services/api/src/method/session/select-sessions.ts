import type { SessionSelector } from '@carillon/cluster';

/**
 * Whom a request targets (server-api §6). No user means the anonymous ones.
 * compat: `label_filter` and `all_users` belong to the commercial build; they are decoded and not looked at.
 */
export function selectSessions(request: {
  readonly user?: string | undefined;
  readonly client?: string | undefined;
  readonly session?: string | undefined;
}): SessionSelector {
  return { user: request.user ?? '', client: request.client, session: request.session };
}
