import { isSubscribeAllowed, SUBSCRIPTION_SOURCE, type ChannelRules } from '@carillon/policy';
import { UNSUBSCRIBE_SERVER } from '@carillon/protocol/codes';
import type { Session } from '../session/session.ts';
import type { UnsubscribeByServer } from '../subscription/unsubscribe-by-server.ts';

export interface WithdrawSubscriptionsDeps {
  readonly settings: () => { readonly channels: ChannelRules; readonly insecure: boolean };
  readonly unsubscribe: UnsubscribeByServer;
}

/** Ends the subscriptions that only capabilities admitted which the connection has no more (tokens.md §10, change). */
export type WithdrawSubscriptions = (session: Session) => void;

export function createWithdrawSubscriptions({
  settings,
  unsubscribe,
}: WithdrawSubscriptionsDeps): WithdrawSubscriptions {
  return (session) => {
    const { identity } = session;
    const { channels, insecure } = settings();
    if (identity === undefined || insecure) return;
    const lost = [...session.subscriptions.values()].filter(({ channel: name, source }) => {
      if (source !== SUBSCRIPTION_SOURCE.connectionCapability) return false;
      if (identity.capabilities.allows('sub', name)) return false;
      const channel = channels.resolve(name);
      const isOpen = channel !== undefined && channel.allowedUsers === undefined;
      return !(isOpen && isSubscribeAllowed(channel, identity.user));
    });
    for (const { channel } of lost) unsubscribe(session, channel, UNSUBSCRIBE_SERVER);
  };
}
