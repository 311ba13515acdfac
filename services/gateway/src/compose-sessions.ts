import { randomUUID } from 'node:crypto';
import type { ClusterEngine, ControlHandler } from '@carillon/cluster';
import type { DecisionService } from '@carillon/policy';
import { jsonCodec, protobufCodec } from '@carillon/protocol/client';
import { DISCONNECT_INSUFFICIENT_STATE, UNSUBSCRIBE_INSUFFICIENT_STATE } from '@carillon/protocol/codes';
import type { Clock, Log } from '@carillon/service-kit';
import type { TokenVerifier } from './auth/token-verifier.ts';
import { createConnect } from './command/connect/connect.ts';
import { createConnectUnidirectional } from './command/connect/connect-unidirectional.ts';
import { createDispatch } from './command/dispatch.ts';
import type { GatewaySettings } from './command/gateway-settings.ts';
import { createCommandLimits } from './command/limit/command-limits.ts';
import { composeCommands } from './compose-commands.ts';
import { composeControl } from './compose-control.ts';
import { composeTimers } from './compose-timers.ts';
import { type CountReceived, createAcceptConnection } from './connection/accept-connection.ts';
import type { CloseConnection } from './connection/close-connection.ts';
import type { ConnectionMetrics } from './connection/connection-metrics.ts';
import { createEmulatedSessions } from './connection/emulated-sessions.ts';
import type { AcceptSocket } from './edge/socket.ts';
import type { ChannelHub } from './fanout/hub-port.ts';
import { createDeadlines } from './session/deadlines.ts';
import type { Session } from './session/session.ts';
import { createSessionTable, type SessionTable } from './session/session-table.ts';
import { createBackground } from './subscription/background.ts';
import { createEndSubscription } from './subscription/end-subscription.ts';
import { createEstablish } from './subscription/establish.ts';
import { createRenewPresence } from './subscription/renew-presence.ts';
import { createSubscriptionExpiry } from './subscription/subscription-expiry.ts';
import { createUnsubscribeByServer } from './subscription/unsubscribe-by-server.ts';

export interface SessionStackDeps {
  readonly engine: ClusterEngine;
  readonly hub: ChannelHub;
  readonly decisions: DecisionService;
  readonly tokens: TokenVerifier;
  readonly settings: () => GatewaySettings;
  readonly metrics: ConnectionMetrics;
  /** Default: nobody counts. */
  readonly countReceived?: CountReceived | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Sessions and everything that acts on them. */
export interface SessionStack {
  readonly accept: AcceptSocket;
  readonly control: ControlHandler;
  readonly sessions: SessionTable;
  readonly close: CloseConnection;
  stop(): void;
}

/** Wires sessions, subscriptions, commands and control; the edge and the hub are beside it. */
export function createSessionStack(deps: SessionStackDeps): SessionStack {
  const { engine, hub, decisions, settings, metrics, clock, log } = deps;
  const { broker, presence, control } = engine;
  const background = createBackground(log);
  const sessions = createSessionTable(metrics);
  const deadlines = createDeadlines(clock);
  const endSubscription = createEndSubscription({ hub, broker, presence, background, metrics });
  const unsubscribe = createUnsubscribeByServer(endSubscription, metrics);
  const renewPresence = createRenewPresence({ presence, background });
  const ends = { sessions, deadlines, endSubscription, unsubscribe, renewPresence, background };
  const { heartbeat, timers, close } = composeTimers({ ...deps, ...ends });
  const expiry = createSubscriptionExpiry({
    deadlines,
    decisions,
    clock,
    background,
    renewPresence,
    closeDelayMs: () => settings().expiredSubCloseDelayMs,
    unsubscribe,
    disconnect: (session, code) => close.disconnect(session, code),
  });
  const establish = createEstablish({ hub, broker, presence, expiry, background, metrics });
  const limits = createCommandLimits({ settings, clock });
  const commandDeps = {
    ...deps,
    broker,
    presence,
    control,
    bans: engine.bans.current,
    limits,
    sessions,
    heartbeat,
    establish,
    expiry,
    renewPresence,
    timers,
  };
  const connect = createConnect(commandDeps);
  const handlers = composeCommands(connect, { ...commandDeps, endSubscription, unsubscribe });
  const dispatch = createDispatch({ ...commandDeps, close, handlers });
  const connectUnidirectional = createConnectUnidirectional({
    connect,
    close,
    transforms: () => settings().unidirectionalDisconnects,
    log,
  });
  const emulated = createEmulatedSessions();
  const accept = createAcceptConnection({
    codecs: { json: jsonCodec, protobuf: protobufCodec },
    sessions,
    emulated,
    timers,
    close,
    dispatch,
    heartbeat,
    connectUnidirectional,
    onInsufficientState: (session, channel) => onInsufficientState({ unsubscribe, close }, session, channel),
    countReceived: deps.countReceived ?? (() => undefined),
    newId: randomUUID,
    clock,
    log,
    limits: settings,
  });
  const { bans } = engine;
  const controlParts = { ...commandDeps, bans, hub, close, unsubscribe, emulated, background };
  const controlled = composeControl(controlParts);
  return {
    accept,
    control: controlled.handler,
    sessions,
    close,
    stop() {
      controlled.stop();
      heartbeat.stop();
      deadlines.stop();
    },
  };
}

/** Client-side subscriptions are told to subscribe again, server-side ones take the connection along (§4.7). */
function onInsufficientState(
  {
    unsubscribe,
    close,
  }: { readonly unsubscribe: ReturnType<typeof createUnsubscribeByServer>; readonly close: CloseConnection },
  session: Session,
  channel: string,
): void {
  const subscription = session.subscriptions.get(channel);
  if (subscription === undefined) return;
  if (subscription.isServerSide) close.disconnect(session, DISCONNECT_INSUFFICIENT_STATE);
  else unsubscribe(session, channel, UNSUBSCRIBE_INSUFFICIENT_STATE);
}
