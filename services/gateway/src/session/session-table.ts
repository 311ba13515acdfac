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

/** Hears of identified sessions: each is added once and removed once. */
export interface ClientObserver {
  clientAdded(session: Session): void;
  clientRemoved(session: Session): void;
}

const NOBODY: ReadonlySet<Session> = new Set();

export function createSessionTable(observer?: ClientObserver): SessionTable {
  const byClient = new Map<string, Session>();
  const bySessionId = new Map<string, Session>();
  // Most users have one session: a set for each would take more memory than the rest of the table.
  const byUser = new Map<string, Session | Set<Session>>();
  let numClients = 0;

  return {
    add(session) {
      byClient.set(session.id, session);
      bySessionId.set(session.sessionId, session);
    },
    identify(session) {
      const others = byUser.get(session.user);
      if (others === session || (others instanceof Set && others.has(session))) return;
      if (others === undefined) byUser.set(session.user, session);
      else if (others instanceof Set) others.add(session);
      else byUser.set(session.user, new Set([others, session]));
      numClients += 1;
      observer?.clientAdded(session);
    },
    remove(session) {
      byClient.delete(session.id);
      bySessionId.delete(session.sessionId);
      const sessions = byUser.get(session.user);
      if (sessions instanceof Set ? !sessions.delete(session) : sessions !== session) return;
      numClients -= 1;
      observer?.clientRemoved(session);
      if (!(sessions instanceof Set) || sessions.size === 0) byUser.delete(session.user);
    },
    byClient: (client) => byClient.get(client),
    bySessionId: (sessionId) => bySessionId.get(sessionId),
    ofUser(user) {
      const sessions = byUser.get(user);
      if (sessions === undefined) return NOBODY;
      return sessions instanceof Set ? sessions : new Set([sessions]);
    },
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
