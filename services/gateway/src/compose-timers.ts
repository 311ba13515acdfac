import type { DecisionService } from '@carillon/policy';
import { DISCONNECT_NO_PONG, DISCONNECT_STALE } from '@carillon/protocol/codes';
import type { Clock } from '@carillon/service-kit';
import type { GatewaySettings } from './command/gateway-settings.ts';
import { createCloseConnection, type CloseConnection } from './connection/close-connection.ts';
import { createConnectionExpiry } from './connection/connection-expiry.ts';
import type { ConnectionMetrics } from './connection/connection-metrics.ts';
import { createConnectionTimers, type ConnectionTimers } from './connection/connection-timers.ts';
import { createWithdrawSubscriptions } from './connection/withdraw-subscriptions.ts';
import type { Deadlines } from './session/deadlines.ts';
import { createHeartbeat, spreadFirstPing, type Heartbeat } from './session/heartbeat.ts';
import type { Session } from './session/session.ts';
import type { SessionTable } from './session/session-table.ts';
import type { Background } from './subscription/background.ts';
import type { EndSubscription } from './subscription/end-subscription.ts';
import type { RenewPresence } from './subscription/renew-presence.ts';
import type { UnsubscribeByServer } from './subscription/unsubscribe-by-server.ts';

export interface ComposeTimersDeps {
  readonly settings: () => GatewaySettings;
  readonly decisions: DecisionService;
  readonly sessions: SessionTable;
  readonly deadlines: Deadlines;
  readonly endSubscription: EndSubscription;
  readonly unsubscribe: UnsubscribeByServer;
  readonly renewPresence: RenewPresence;
  readonly background: Background;
  readonly metrics: ConnectionMetrics;
  readonly clock: Clock;
}

/** What ends connections by time, and the one way in which all connections end: each needs the other. */
export interface ConnectionEnds {
  readonly heartbeat: Heartbeat;
  readonly timers: ConnectionTimers;
  readonly close: CloseConnection;
}

export function composeTimers(deps: ComposeTimersDeps): ConnectionEnds {
  const { settings, deadlines, clock } = deps;
  const heartbeat = createHeartbeat<Session>({
    clock,
    timing: ({ socket }) => ({
      intervalMs: socket.traits.pingIntervalMs ?? settings().pingIntervalMs,
      pongTimeoutMs: settings().pongTimeoutMs,
    }),
    firstPing: spreadFirstPing(Math.random),
    expectsPong: ({ socket }) => !socket.traits.unidirectional && settings().pongTimeoutMs > 0,
    onPing: (session) => session.ping(),
    onPong: (session, roundTripMs) => {
      session.roundTripMs = roundTripMs;
      deps.metrics.observePing(session, roundTripMs / 1000);
    },
    onPongTimeout: (session) => close.disconnect(session, DISCONNECT_NO_PONG),
  });
  const onExpired = createConnectionExpiry({
    ...deps,
    timers: () => timers,
    close: () => close,
    refreshProxyEnabled: () => settings().refreshProxyEnabled,
    withdrawSubscriptions: createWithdrawSubscriptions(deps),
  });
  const timers: ConnectionTimers = createConnectionTimers({
    deadlines,
    clock,
    onStale: (session) => close.disconnect(session, DISCONNECT_STALE),
    onExpired,
  });
  const close: CloseConnection = createCloseConnection({ ...deps, heartbeat, timers });
  return { heartbeat, timers, close };
}
