import type { ConnectionSummary, TokenSummary } from '@carillon/cluster';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';

/** What the server API shows of a live connection (server-api §8, ConnectionInfo). */
export function connectionSummary(session: Session): ConnectionSummary {
  const { identity } = session;
  const subscriptions = [...session.subscriptions.values()];
  return {
    appName: session.appName,
    appVersion: session.appVersion,
    transport: session.socket.traits.name,
    protocol: session.socket.traits.encoding,
    user: session.user,
    connectedAt: session.connectedAt,
    roundTripMs: session.roundTripMs,
    channels: new Map(subscriptions.map(({ channel, source }) => [channel, source])),
    connectionToken: identity?.source === 'token' ? tokenSummary(identity.tokenId, identity.issuedAt) : undefined,
    subscriptionTokens: new Map(
      subscriptions.filter(hasToken).map((it) => [it.channel, tokenSummary(it.tokenId, it.tokenIssuedAt)]),
    ),
    meta: identity?.meta,
  };
}

function hasToken({ tokenId, tokenIssuedAt }: Subscription): boolean {
  return tokenId !== undefined || tokenIssuedAt > 0;
}

function tokenSummary(uid: string | undefined, issuedAt: number): TokenSummary {
  return { uid: uid ?? '', issuedAt };
}
