import type { Broker, ControlCommand, Retention } from '@carillon/cluster';
import { SUBSCRIPTION_SOURCE } from '@carillon/policy';
import type { ChannelOptions } from '@carillon/protocol/channel';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Background } from '../subscription/background.ts';
import type { RenewPresence } from '../subscription/renew-presence.ts';
import type { SubscriptionExpiry } from '../subscription/subscription-expiry.ts';
import { refreshByServer } from './refresh-by-server.ts';
import { subscribePush } from './subscribe-push.ts';

/** Applies a subscribe call to a connection that has the channel. Rejects where the API answers error 100. */
export type SubscribeAgain = (
  session: Session,
  subscription: Subscription,
  command: Extract<ControlCommand, { kind: 'subscribe' }>,
) => Promise<void>;

export interface SubscribeAgainDeps {
  readonly broker: Pick<Broker, 'history' | 'publishJoin'>;
  readonly expiry: SubscriptionExpiry;
  readonly renewPresence: RenewPresence;
  readonly background: Background;
  readonly retentionOf: (options: ChannelOptions) => Retention | undefined;
}

/**
 * compat: upstream subscribes anew: the push and the join come again, with the info, data and expiry of this call, and the
 * subscription is the server's from now on (server-api §7.3). Here it stays live meanwhile, so nothing is missed.
 */
export function createSubscribeAgain(deps: SubscribeAgainDeps): SubscribeAgain {
  const { broker, expiry, renewPresence, background } = deps;
  return async (session, subscription, { channel, data, info, expireAt }) => {
    const retention = subscription.opened.positioned ? deps.retentionOf(subscription.options) : undefined;
    // All up to this top has been delivered when it is known, so the client may take it for its position.
    const page = retention && (await broker.history(channel, { retention, limit: 0 }));
    if (session.isClosed || session.subscriptions.get(channel) !== subscription) return;
    const before = subscription.info;
    subscription.isServerSide = true;
    subscription.source = SUBSCRIPTION_SOURCE.serverApi;
    subscription.refresh = refreshByServer(subscription.options);
    subscription.info = info;
    subscription.expireAt = Math.max(0, expireAt);
    renewPresence.subscription(session, subscription, before);
    session.push({ channel, subscribe: subscribePush({ ...subscription.opened, ...page?.top }, data) });
    if (subscription.emitsJoinLeave) {
      subscription.joined = broker.publishJoin(channel, session.clientInfo(info));
      background(subscription.joined, 'join');
    }
    expiry.watch(session, subscription);
  };
}
