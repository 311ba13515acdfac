import type { DisconnectCode } from '@carillon/protocol/codes';
import type { Heartbeat } from '../session/heartbeat.ts';
import type { Session } from '../session/session.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { EndSubscription } from '../subscription/end-subscription.ts';
import type { ConnectionMetrics } from './connection-metrics.ts';
import type { ConnectionTimers } from './connection-timers.ts';

/** The one place where connections end, whoever ends them. */
export interface CloseConnection {
  /** The server ends it: subscriptions first, then the code on the wire (client-protocol §3.1). No-op when closed. */
  disconnect(session: Session, code: DisconnectCode): void;
  /** The socket is gone. No-op when the server ended it. */
  gone(session: Session): void;
}

export interface CloseConnectionDeps {
  readonly sessions: SessionTable;
  readonly heartbeat: Heartbeat;
  readonly timers: ConnectionTimers;
  readonly endSubscription: EndSubscription;
  readonly metrics: ConnectionMetrics;
}

export function createCloseConnection(deps: CloseConnectionDeps): CloseConnection {
  function release(session: Session): boolean {
    if (!session.transition('closed')) return false;
    deps.timers.cancel(session);
    deps.heartbeat.remove(session);
    deps.sessions.remove(session);
    for (const channel of session.subscriptions.keys()) deps.endSubscription(session, channel);
    return true;
  }

  return {
    disconnect(session, { code, reason }) {
      if (!release(session)) return;
      deps.metrics.countDisconnect(code);
      session.socket.close(code, reason);
    },
    gone(session) {
      release(session);
    },
  };
}
