import type { ControlCommand, ControlHandler, SurveyAnswer, SurveyQuestion } from '@carillon/cluster';
import { DISCONNECT_EXPIRED } from '@carillon/protocol/codes';
import { OperationalError, type Clock } from '@carillon/service-kit';
import type { CloseConnection } from '../connection/close-connection.ts';
import type { ConnectionTimers } from '../connection/connection-timers.ts';
import type { ChannelHub } from '../fanout/hub-port.ts';
import type { Session } from '../session/session.ts';
import type { SessionTable } from '../session/session-table.ts';
import { leftPresence } from '../subscription/left-presence.ts';
import type { RenewPresence } from '../subscription/renew-presence.ts';
import type { UnsubscribeByServer } from '../subscription/unsubscribe-by-server.ts';
import type { SubscribeControl } from './apply-subscribe.ts';
import { compileChannelPattern } from '@carillon/protocol/channel';
import { connectionSummary } from './connection-summary.ts';
import { selectSessions } from './select-sessions.ts';

export interface ApplyControlDeps {
  readonly sessions: SessionTable;
  readonly hub: ChannelHub;
  readonly close: CloseConnection;
  readonly timers: ConnectionTimers;
  readonly unsubscribe: UnsubscribeByServer;
  readonly renewPresence: RenewPresence;
  readonly subscribe: (session: Session, command: SubscribeControl) => Promise<void>;
  readonly expiredCloseDelayMs: () => number;
  /** Hands an emulated frame to its session; unknown sessions are ignored. */
  readonly emulate: (session: string, frame: Uint8Array) => Promise<void>;
  readonly clock: Clock;
}

type RefreshControl = Extract<ControlCommand, { kind: 'refresh' }>;

/** A year: connections never live longer without being refreshed again (server-api §7.6). */
const MAX_LIFETIME_S = 31_536_000;

/** What other nodes and the server API make this node do to its own sessions. */
export function createApplyControl(deps: ApplyControlDeps): ControlHandler {
  return {
    async apply(command) {
      return applyCommand(deps, command);
    },
    async answer(question) {
      return answerSurvey(deps, question);
    },
    emulate: deps.emulate,
  };
}

/** Gives the number of sessions. */
async function applyCommand(deps: ApplyControlDeps, command: ControlCommand): Promise<number> {
  switch (command.kind) {
    case 'subscribe': {
      const selected = selectSessions(deps.sessions, command.select);
      const outcomes = await Promise.allSettled(selected.map((session) => deps.subscribe(session, command)));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      return selected.length;
    }
    case 'unsubscribe': {
      const selected = selectSessions(deps.sessions, command.select);
      const leaving: Promise<void>[] = [];
      for (const session of selected) {
        await session.opening.get(command.channel);
        const subscription = session.subscriptions.get(command.channel);
        deps.unsubscribe(session, command.channel, command);
        const left = leftPresence(subscription, deps.clock);
        if (left !== undefined) leaving.push(left);
      }
      await Promise.all(leaving);
      return selected.length;
    }
    case 'disconnect': {
      const selected = selectSessions(deps.sessions, command.select).filter(
        ({ id }) => !command.whitelist.includes(id),
      );
      for (const session of selected) deps.close.disconnect(session, command);
      return selected.length;
    }
    case 'refresh': {
      const selected = selectSessions(deps.sessions, command.select);
      for (const session of selected) refresh(deps, session, command);
      return selected.length;
    }
    case 'rules_changed':
      return 0;
  }
}

/** server-api §7.6: `expired` or a past expiry closes, 0 means never, a future one is set and pushed. */
function refresh(deps: ApplyControlDeps, session: Session, command: RefreshControl): void {
  const { identity } = session;
  if (identity === undefined) return;
  const nowS = Math.floor(deps.clock.now() / 1000);
  const isPast = command.expireAt > 0 && command.expireAt <= nowS;
  if (command.expired || isPast) {
    deps.close.disconnect(session, DISCONNECT_EXPIRED);
    return;
  }
  const expireAt = command.expireAt <= 0 ? 0 : Math.min(command.expireAt, nowS + MAX_LIFETIME_S);
  const hasInfo = expireAt > 0 && command.info !== undefined && command.info.length > 0;
  session.identity = { ...identity, expireAt, info: hasInfo ? command.info : identity.info };
  deps.renewPresence.connection(session, identity.info);
  deps.timers.watchExpiry(session, expireAt, deps.expiredCloseDelayMs());
  session.push({ refresh: expireAt > 0 ? { expires: true, ttl: expireAt - nowS } : {} });
}

function answerSurvey({ hub, sessions }: ApplyControlDeps, question: SurveyQuestion): SurveyAnswer {
  switch (question.kind) {
    case 'channels': {
      const matches = compileChannelPattern(question.pattern);
      if (matches === undefined) throw new OperationalError('bad_pattern', 'malformed pattern', { retriable: false });
      const channels = new Map([...hub.channelCounts()].filter(([channel]) => matches(channel)));
      return { kind: 'channels', channels };
    }
    case 'connections': {
      const found = connected(sessions, question.user).map(
        (session) => [session.id, connectionSummary(session)] as const,
      );
      return { kind: 'connections', connections: new Map(found) };
    }
    case 'users':
      return { kind: 'users', users: newestConnections(sessions, question.users) };
    case 'stats': {
      const { numClients, numUsers } = sessions;
      const { numChannels, numSubscriptions: numSubs } = hub;
      return { kind: 'stats', stats: { numClients, numUsers, numChannels, numSubs } };
    }
  }
}

function connected(sessions: SessionTable, user: string): Session[] {
  return [...sessions.ofUser(user)].filter(({ isClosed }) => !isClosed);
}

function newestConnections(sessions: SessionTable, users: readonly string[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const user of users) {
    for (const { connectedAt } of connected(sessions, user)) {
      newest.set(user, Math.max(connectedAt, newest.get(user) ?? 0));
    }
  }
  return newest;
}
