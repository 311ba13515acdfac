import type { Session } from './session.ts';

/** The sessions of this node by client id, session id and user. */
export interface SessionTable {
  /** Every session from accept to close; its `user` is known to the table only after `identify`. */
  add(session: Session): void;
  /** Files the session under its user, once it is authenticated. */
  identify(session: Session): void;
  remove(session: Session): void;
  byClient(client: string): Session | undefined;
  bySessionId(sessionId: string): Session | undefined;
  /** Identified sessions of a user ('' = anonymous). */
  ofUser(user: string): ReadonlySet<Session>;
  all(): Iterable<Session>;
  readonly size: number;
  /** Identified sessions. */
  readonly numClients: number;
  /** Distinct users among them. */
  readonly numUsers: number;
}

const NOBODY: ReadonlySet<Session> = new Set();

export function createSessionTable(): SessionTable {
  const byClient = new Map<string, Session>();
  const bySessionId = new Map<string, Session>();
  const byUser = new Map<string, Set<Session>>();
  let numClients = 0;

  return {
    add(session) {
      byClient.set(session.id, session);
      bySessionId.set(session.sessionId, session);
    },
    identify(session) {
      let sessions = byUser.get(session.user);
      if (sessions === undefined) byUser.set(session.user, (sessions = new Set()));
      if (sessions.has(session)) return;
      sessions.add(session);
      numClients += 1;
    },
    remove(session) {
      byClient.delete(session.id);
      bySessionId.delete(session.sessionId);
      const sessions = byUser.get(session.user);
      if (sessions?.delete(session) !== true) return;
      numClients -= 1;
      if (sessions.size === 0) byUser.delete(session.user);
    },
    byClient: (client) => byClient.get(client),
    bySessionId: (sessionId) => bySessionId.get(sessionId),
    ofUser: (user) => byUser.get(user) ?? NOBODY,
    all: () => byClient.values(),
    get size() {
      return byClient.size;
    },
    get numClients() {
      return numClients;
    },
    get numUsers() {
      return byUser.size;
    },
  };
}
