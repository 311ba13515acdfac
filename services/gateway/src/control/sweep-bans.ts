import type { BanStore } from '@carillon/cluster';
import { DISCONNECT_FORCED, UNSUBSCRIBE_SERVER } from '@carillon/protocol/codes';
import { SUBSCRIPTION_SOURCE } from '@carillon/policy';
import type { Clock, TimerHandle } from '@carillon/service-kit';
import type { CloseConnection } from '../connection/close-connection.ts';
import type { Session } from '../session/session.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { Subscription } from '../session/subscription.ts';
import type { UnsubscribeByServer } from '../subscription/unsubscribe-by-server.ts';

export interface SweepBansDeps {
  readonly bans: Pick<BanStore, 'current' | 'watch'>;
  readonly sessions: SessionTable;
  readonly close: CloseConnection;
  readonly unsubscribe: UnsubscribeByServer;
  readonly clock: Clock;
}

/** Lookups in one turn, an end counting as {@link END_COST}: one to three milliseconds. */
const WORK_PER_TURN = 5_000;
const END_COST = 50;
/** Between two passes over all sessions: tokens may be revoked faster than they can be looked for, ms. */
const PASS_GAP_MS = 250;
/** Users to look at; with more, all sessions are. */
const MAX_WAITING_USERS = 10_000;

/**
 * Ends what bans forbid among the sessions of this node (tokens.md §9.1): connections of blocked users and with revoked
 * tokens, and subscriptions made with revoked tokens. A ban of a user looks at that user's sessions, a revoked token at
 * all of them, a slice a turn. Returns how to stop.
 */
export function createSweepBans(deps: SweepBansDeps): () => void {
  const { sessions, clock } = deps;
  const users = new Set<string>();
  let isAllWaiting = false;
  let passEndedAt = Number.NEGATIVE_INFINITY;
  let timer: TimerHandle | undefined;

  function request(user: string | undefined): void {
    if (user === undefined || users.size >= MAX_WAITING_USERS) isAllWaiting = true;
    else users.add(user);
    start();
  }

  /** Begins what waits, unless something is under way: that goes on here when it is done. */
  function start(): void {
    if (timer !== undefined) return;
    for (const user of users) {
      users.delete(user);
      step(sessions.ofUser(user).values());
      return;
    }
    if (!isAllWaiting) return;
    later(Math.max(0, passEndedAt + PASS_GAP_MS - clock.monotonic()), () => {
      // What is asked for from here on needs another pass.
      isAllWaiting = false;
      step(sessions.all()[Symbol.iterator](), () => {
        passEndedAt = clock.monotonic();
      });
    });
  }

  function step(rest: Iterator<Session>, onEnd?: () => void): void {
    const nowS = clock.now() / 1000;
    for (let work = 0; work < WORK_PER_TURN;) {
      const { value: session, done } = rest.next();
      if (done === true) {
        onEnd?.();
        later(0, start);
        return;
      }
      work += enforce(deps, session, nowS);
    }
    later(0, () => step(rest, onEnd));
  }

  function later(delayMs: number, act: () => void): void {
    timer = clock.setTimer(delayMs, () => {
      timer = undefined;
      act();
    });
    timer.unref();
  }

  const unwatch = deps.bans.watch({
    onBan: (ban) => request(ban.kind === 'token' ? undefined : ban.user),
    onReloaded: () => request(undefined),
  });
  return () => {
    unwatch();
    timer?.cancel();
    // A timer that was cancelled stays, so that nothing starts any more.
    timer ??= { cancel: () => undefined, unref: () => undefined };
  };
}

/** How much work it was. */
function enforce({ bans, close, unsubscribe }: SweepBansDeps, session: Session, nowS: number): number {
  const { identity } = session;
  if (identity === undefined || session.isClosed) return 1;
  const { current } = bans;
  const { user, source } = identity;
  if (current.isUserBlocked(user, nowS) || (source === 'token' && current.isTokenRevoked(identity, nowS))) {
    close.disconnect(session, DISCONNECT_FORCED);
    return END_COST;
  }
  let work = 1 + session.subscriptions.size;
  for (const subscription of session.subscriptions.values()) {
    if (!isByToken(subscription)) continue;
    const { channel, tokenId, tokenIssuedAt: issuedAt } = subscription;
    if (!current.isTokenRevoked({ user, tokenId, issuedAt, channel }, nowS)) continue;
    unsubscribe(session, channel, UNSUBSCRIBE_SERVER);
    work += END_COST;
  }
  return work;
}

/** Made with a subscription token, or refreshed with one. */
function isByToken({ source, tokenId, tokenIssuedAt }: Subscription): boolean {
  return source === SUBSCRIPTION_SOURCE.subscriptionToken || tokenId !== undefined || tokenIssuedAt > 0;
}
