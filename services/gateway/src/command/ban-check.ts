import type { TokenFacts } from '@carillon/cluster';
import { Disconnect, DISCONNECT_INVALID_TOKEN } from '@carillon/protocol/codes';
import type { Identity } from '../session/identity.ts';
import type { Session } from '../session/session.ts';
import type { CommandDeps } from './command-deps.ts';

export type BanCheckDeps = Pick<CommandDeps, 'bans' | 'clock' | 'log'>;

/** Throws the disconnect of a bad token for a token that was revoked or whose user's tokens were (tokens.md §9.1). */
export function refuseRevokedToken({ bans, clock, log }: BanCheckDeps, { id }: Session, token: TokenFacts): void {
  if (!bans.isTokenRevoked(token, clock.now() / 1000)) return;
  log.info('revoked token refused', { client: id, user: token.user, channel: token.channel });
  throw new Disconnect(DISCONNECT_INVALID_TOKEN);
}

/** The same for a user who is blocked, whoever vouched for them. */
export function refuseBannedConnection(deps: BanCheckDeps, session: Session, identity: Identity): void {
  const { user, source } = identity;
  if (deps.bans.isUserBlocked(user, deps.clock.now() / 1000)) {
    deps.log.info('blocked user refused', { client: session.id, user });
    throw new Disconnect(DISCONNECT_INVALID_TOKEN);
  }
  if (source === 'token') refuseRevokedToken(deps, session, identity);
}
