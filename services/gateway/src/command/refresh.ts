import { createCapabilities, SUBSCRIPTION_SOURCE } from '@carillon/policy';
import {
  ClientError,
  Disconnect,
  DISCONNECT_BAD_REQUEST,
  DISCONNECT_EXPIRED,
  DISCONNECT_INSUFFICIENT_STATE,
  DISCONNECT_INVALID_TOKEN,
  EXPIRED,
  INTERNAL_ERROR,
  UNKNOWN_CHANNEL,
} from '@carillon/protocol/codes';
import { TokenError, type ConnectClaims } from '../auth/token-verifier.ts';
import type { ConnectionTimers } from '../connection/connection-timers.ts';
import { createWithdrawSubscriptions } from '../connection/withdraw-subscriptions.ts';
import type { Identity } from '../session/identity.ts';
import type { Session } from '../session/session.ts';
import type { RenewPresence } from '../subscription/renew-presence.ts';
import type { UnsubscribeByServer } from '../subscription/unsubscribe-by-server.ts';
import { refuseRevokedToken } from './ban-check.ts';
import type { CommandDeps } from './command-deps.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { CommandHandler } from './handler.ts';
import { MAX_TTL_S, ttlOf } from './subscribe/subscribe-result.ts';

export type RefreshDeps = Pick<CommandDeps, 'settings' | 'tokens' | 'bans' | 'clock' | 'log'> & {
  readonly timers: ConnectionTimers;
  readonly unsubscribe: UnsubscribeByServer;
  readonly renewPresence: RenewPresence;
};

/** `refresh` with a new connection token (client-protocol §3.10, tokens.md §4). */
export function createRefresh(deps: RefreshDeps): CommandHandler {
  const withdrawSubscriptions = createWithdrawSubscriptions(deps);
  return async (session, command) => {
    const token = command.refresh?.token ?? '';
    const settings = deps.settings();
    if (token === '' || settings.refreshProxyEnabled) throw new Disconnect(DISCONNECT_BAD_REQUEST);
    const claims = await verify(deps, session, token);
    const { identity } = session;
    const channels = channelsOf(claims, settings);
    if (identity === undefined || claims.user !== identity.user) throw new Disconnect(DISCONNECT_INVALID_TOKEN);
    refuseRevokedToken(deps, session, claims);
    if (!hasSameChannels(session, channels)) throw new Disconnect(DISCONNECT_INSUFFICIENT_STATE);
    const nowMs = deps.clock.now();
    // compat: insecure mode forgets the expiry of the token that connects, not of this one.
    const { expireAt } = claims;
    if (expireAt > 0 && expireAt <= nowMs / 1000) throw new ClientError(EXPIRED);
    session.identity = refreshed(identity, claims);
    deps.renewPresence.connection(session, identity.info);
    // A token without expiry ends the old one too: upstream keeps it running and closes later (Appendix A4).
    deps.timers.watchExpiry(session, expireAt, settings.expiredCloseDelayMs);
    const expires = expireAt > 0;
    session.reply(command.id ?? 0, {
      refresh: { expires, ttl: expires ? ttlOf(expireAt, nowMs, MAX_TTL_S) : undefined },
    });
    withdrawSubscriptions(session);
  };
}

/** The server-side channels that the token gives. */
function channelsOf(claims: ConnectClaims, { channels: rules }: GatewaySettings): ReadonlySet<string> {
  const channels = new Set(claims.subs.size > 0 ? claims.subs.keys() : claims.channels);
  for (const channel of channels) {
    if (rules.resolve(channel) === undefined) throw new ClientError(UNKNOWN_CHANNEL);
  }
  channels.delete('');
  return channels;
}

/**
 * The connection must be subscribed to all channels of the token, and to no others because of an earlier one, or the client
 * must connect again (tokens.md §4). What it has left meanwhile counts as missing.
 */
function hasSameChannels({ subscriptions }: Session, channels: ReadonlySet<string>): boolean {
  for (const channel of channels) if (!subscriptions.has(channel)) return false;
  for (const { channel, source } of subscriptions.values()) {
    if (source === SUBSCRIPTION_SOURCE.connectionToken && !channels.has(channel)) return false;
  }
  return true;
}

function refreshed(identity: Identity, claims: ConnectClaims): Identity {
  return {
    ...identity,
    expireAt: claims.expireAt,
    info: claims.info ?? identity.info,
    meta: claims.meta ?? identity.meta,
    capabilities: createCapabilities(claims.caps),
    tokenId: claims.tokenId,
    issuedAt: claims.issuedAt,
  };
}

async function verify({ tokens, log }: RefreshDeps, session: Session, token: string): Promise<ConnectClaims> {
  try {
    return await tokens.verifyConnectToken(token);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    log.info('refresh token refused', { client: session.id, reason: error.message });
    if (error.code === 'internal') throw new ClientError(INTERNAL_ERROR);
    if (error.code === 'unknown_channel') throw new ClientError(UNKNOWN_CHANNEL);
    throw new Disconnect(error.code === 'expired' ? DISCONNECT_EXPIRED : DISCONNECT_INVALID_TOKEN);
  }
}
