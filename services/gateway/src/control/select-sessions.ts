import type { SessionSelector } from '@carillon/cluster';
import type { Session } from '../session/session.ts';
import type { SessionTable } from '../session/session-table.ts';

/** The connected sessions of this node that a command is for (server-api §6): all criteria that are set must match. */
export function selectSessions(sessions: SessionTable, { user, client, session }: SessionSelector): Session[] {
  return [...sessions.ofUser(user)].filter(
    (candidate) =>
      !candidate.isClosed &&
      (client === undefined || candidate.id === client) &&
      (session === undefined || candidate.sessionId === session),
  );
}
