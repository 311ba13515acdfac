import { NO_CAPABILITIES, NOT_SUBSCRIBED, type Asker, type ChannelStanding } from '@carillon/policy';
import type { Session } from '../session/session.ts';

/** The session as the permission rules see it. */
export function askerOf(session: Session, insecure: boolean): Asker {
  return { user: session.user, capabilities: session.identity?.capabilities ?? NO_CAPABILITIES, insecure };
}

/** What the session's subscription to the channel adds to its permissions. */
export function standingOf(session: Session, channel: string): ChannelStanding {
  const subscription = session.subscriptions.get(channel);
  if (subscription === undefined) return NOT_SUBSCRIBED;
  return { isSubscribed: true, subscriptionAllow: subscription.allow };
}
