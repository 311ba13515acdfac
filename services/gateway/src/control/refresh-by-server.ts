import type { ChannelOptions } from '@carillon/protocol/channel';
import type { SubscriptionRefresh } from '../session/subscription.ts';

/** Who extends a subscription that the server made: the backend where the namespace asks one, never the client. */
export function refreshByServer({ subRefreshProxyEnabled }: ChannelOptions): SubscriptionRefresh {
  return subRefreshProxyEnabled ? 'server' : 'nobody';
}
