import type { Broker, Presence } from '@carillon/cluster';
import type { ChannelHub } from '../fanout/hub-port.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { ConnectionMetrics } from '../connection/connection-metrics.ts';
import type { Background } from './background.ts';

/** Ends an established subscription of a session: no push of the channel leaves after it. Unknown ones are fine. */
export type EndSubscription = (session: Session, channel: string) => Subscription | undefined;

export interface EndSubscriptionDeps {
  readonly hub: ChannelHub;
  readonly broker: Broker;
  readonly presence: Presence;
  readonly background: Background;
  readonly metrics: Pick<ConnectionMetrics, 'subscriptionRemoved'>;
}

export function createEndSubscription(deps: EndSubscriptionDeps): EndSubscription {
  const { hub, broker, presence, background, metrics } = deps;
  return (session, channel) => {
    const subscription = session.subscriptions.get(channel);
    if (subscription === undefined) return undefined;
    session.subscriptions.delete(channel);
    metrics.subscriptionRemoved(session);
    subscription.expiry?.cancel();
    hub.close(session, channel);
    subscription.stream?.close();
    if (subscription.isPresent) {
      const left = presence.remove(channel, session.id);
      background(left, 'presence remove');
      // In an outage nobody can ask, and each of many unsubscribes would wait in vain.
      if (broker.unavailable() === undefined) subscription.left = left;
    }
    if (subscription.emitsJoinLeave) {
      const info = session.clientInfo(subscription.info);
      // A leave never overtakes its join; a join that failed must not hold the leave back.
      const leave = () => broker.publishLeave(channel, info);
      background((subscription.joined ?? Promise.resolve()).then(leave, leave), 'leave');
    }
    return subscription;
  };
}
