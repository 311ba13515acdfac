import {
  BAD_REQUEST,
  ClientError,
  Disconnect,
  DISCONNECT_BAD_REQUEST,
  DISCONNECT_INVALID_TOKEN,
  EXPIRED,
  PERMISSION_DENIED,
} from '@carillon/protocol/codes';
import type { RenewPresence } from '../../subscription/renew-presence.ts';
import type { SubscriptionExpiry } from '../../subscription/subscription-expiry.ts';
import type { CommandDeps } from '../command-deps.ts';
import type { CommandHandler } from '../handler.ts';
import { MAX_TTL_S, ttlOf } from './subscribe-result.ts';
import { claimsFor } from './subscription-claims.ts';

export type SubRefreshDeps = Pick<CommandDeps, 'settings' | 'tokens' | 'bans' | 'clock' | 'log'> & {
  readonly expiry: SubscriptionExpiry;
  readonly renewPresence: RenewPresence;
};

/** `sub_refresh` with a new subscription token (client-protocol §3.11, tokens.md §5.2). */
export function createSubRefresh(deps: SubRefreshDeps): CommandHandler {
  return async (session, command) => {
    const { channel = '', token = '' } = command.subRefresh ?? {};
    if (channel === '') throw new Disconnect(DISCONNECT_BAD_REQUEST);
    const subscription = session.subscriptions.get(channel);
    if (subscription === undefined) throw new ClientError(PERMISSION_DENIED);
    if (subscription.refresh !== 'client') throw new Disconnect(DISCONNECT_BAD_REQUEST);
    if (token === '') throw new ClientError(BAD_REQUEST);
    const claims = await claimsFor(deps, session, {
      token,
      channel,
      legacyClientClaim: deps.settings().legacyClientClaim,
      onInvalid: 'disconnect',
    });
    if (claims === 'mismatch') throw new Disconnect(DISCONNECT_INVALID_TOKEN);
    const nowMs = deps.clock.now();
    // compat: unlike that of a subscribe, an expiry of this very second is taken (client-protocol §3.11).
    if (claims.expireAt > 0 && claims.expireAt < Math.floor(nowMs / 1000)) throw new ClientError(EXPIRED);
    if (session.subscriptions.get(channel) !== subscription) throw new ClientError(PERMISSION_DENIED);
    subscription.expireAt = claims.expireAt;
    const before = subscription.info;
    subscription.info = claims.info;
    deps.renewPresence.subscription(session, subscription, before);
    subscription.allow = claims.allow;
    subscription.tokenId = claims.tokenId;
    subscription.tokenIssuedAt = claims.issuedAt;
    deps.expiry.watch(session, subscription);
    const expires = claims.expireAt > 0;
    session.reply(command.id ?? 0, {
      subRefresh: { expires, ttl: expires ? ttlOf(claims.expireAt, nowMs, MAX_TTL_S) : undefined },
    });
  };
}
