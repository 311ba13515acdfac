import type { UnsubscribeCode } from '@carillon/protocol/codes';
import type { ConnectionMetrics } from '../connection/connection-metrics.ts';
import type { Session } from '../session/session.ts';
import type { EndSubscription } from './end-subscription.ts';

/** Ends a subscription on the server's side and tells the client why (client-protocol §3.8). */
export type UnsubscribeByServer = (session: Session, channel: string, code: UnsubscribeCode) => void;

export function createUnsubscribeByServer(
  endSubscription: EndSubscription,
  metrics: ConnectionMetrics,
): UnsubscribeByServer {
  return (session, channel, { code, reason }) => {
    endSubscription(session, channel);
    metrics.countUnsubscribe(code);
    // compat: the push is sent also to connections that were not subscribed (server-api §7.4).
    session.push({ channel, unsubscribe: { code, reason } });
  };
}
