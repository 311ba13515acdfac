import type { TokenFacts } from '@carillon/cluster';
import { Disconnect, DISCONNECT_INVALID_TOKEN } from '@carillon/protocol/codes';
import type { Identity } from '../session/identity.ts';
import type { CommandDeps } from './command-deps.ts';

export type BanCheckDeps = Pick<CommandDeps, 'bans' | 'clock'>;

/** Throws the disconnect of a bad token for a token that was revoked or whose user's tokens were (tokens.md §9.1). */
export function refuseRevokedToken({ bans, clock }: BanCheckDeps, token: TokenFacts): void {
  if (bans.isTokenRevoked(token, clock.now() / 1000)) throw new Disconnect(DISCONNECT_INVALID_TOKEN);
}

/** The same for a user who is blocked, whoever vouched for them. */
export function refuseBannedConnection(deps: BanCheckDeps, identity: Identity): void {
  if (deps.bans.isUserBlocked(identity.user, deps.clock.now() / 1000)) throw new Disconnect(DISCONNECT_INVALID_TOKEN);
  if (identity.source === 'token') refuseRevokedToken(deps, identity);
}
