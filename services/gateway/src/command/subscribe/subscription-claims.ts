import {
  ClientError,
  Disconnect,
  DISCONNECT_INVALID_TOKEN,
  PERMISSION_DENIED,
  TOKEN_EXPIRED,
  UNKNOWN_CHANNEL,
} from '@carillon/protocol/codes';
import { TokenError, type SubscribeClaims } from '../../auth/token-verifier.ts';
import type { Session } from '../../session/session.ts';
import { refuseRevokedToken } from '../ban-check.ts';
import type { CommandDeps } from '../command-deps.ts';

export interface ClaimsQuestion {
  readonly token: string;
  readonly channel: string;
  /** tokens.md §12.1: a token without `sub` may be bound by its `client` claim alone. */
  readonly legacyClientClaim: boolean;
  /** An invalid token is error 103 on subscribe, disconnect 3500 on sub_refresh (tokens.md §5.2). */
  readonly onInvalid: 'permission_denied' | 'disconnect';
}

/**
 * The claims of a subscription token, or 'mismatch' where it is for another channel, user or client.
 * Throws the documented error for expired, invalid and revoked tokens.
 */
export async function claimsFor(
  deps: Pick<CommandDeps, 'tokens' | 'bans' | 'clock' | 'log'>,
  session: Session,
  question: ClaimsQuestion,
): Promise<SubscribeClaims | 'mismatch'> {
  const { tokens, log } = deps;
  let claims: SubscribeClaims;
  try {
    claims = await tokens.verifySubscribeToken(question.token);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    log.info('subscription token refused', { client: session.id, channel: question.channel, reason: error.message });
    if (error.code === 'expired') throw new ClientError(TOKEN_EXPIRED);
    if (error.code === 'unknown_channel') throw new ClientError(UNKNOWN_CHANNEL);
    throw question.onInvalid === 'disconnect'
      ? new Disconnect(DISCONNECT_INVALID_TOKEN)
      : new ClientError(PERMISSION_DENIED);
  }
  if (!isFor(session, claims, question)) return 'mismatch';
  refuseRevokedToken(deps, session, { ...claims, user: session.user });
  return claims;
}

function isFor(session: Session, claims: SubscribeClaims, { channel, legacyClientClaim }: ClaimsQuestion): boolean {
  if (claims.channel !== channel) return false;
  if (claims.client !== undefined && claims.client !== session.id) return false;
  if (legacyClientClaim && !claims.hasUser && claims.client !== undefined) return true;
  return claims.user === session.user;
}
