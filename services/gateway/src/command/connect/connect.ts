import type { ConnectRequest, ConnectResult } from '@carillon/protocol/client';
import {
  ClientError,
  COMPAT_VERSION,
  Disconnect,
  DISCONNECT_BAD_REQUEST,
  DISCONNECT_CONNECTION_CLOSED,
  DISCONNECT_CONNECTION_LIMIT,
  DISCONNECT_SERVER_ERROR,
  EXPIRED,
} from '@carillon/protocol/codes';
import { personalChannel } from '@carillon/policy';
import type { ConnectionTimers } from '../../connection/connection-timers.ts';
import type { Session } from '../../session/session.ts';
import type { Establish } from '../../subscription/establish.ts';
import { refuseBannedConnection } from '../ban-check.ts';
import { authenticate, type Authentication } from './authenticate.ts';
import type { CommandDeps } from '../command-deps.ts';
import type { GatewaySettings } from '../gateway-settings.ts';
import type { CommandHandler } from '../handler.ts';
import {
  openServerSubscriptions,
  serverSubscriptionsOf,
  type ReadyServerSubscriptions,
} from './server-subscriptions.ts';
import { MAX_TTL_S, ttlOf } from '../subscribe/subscribe-result.ts';

export type ConnectDeps = Pick<
  CommandDeps,
  | 'settings'
  | 'tokens'
  | 'decisions'
  | 'presence'
  | 'control'
  | 'bans'
  | 'limits'
  | 'sessions'
  | 'heartbeat'
  | 'clock'
  | 'log'
> & { readonly establish: Establish; readonly timers: ConnectionTimers };

/** Connects a session; what it sends at the end differs between bidirectional and unidirectional transports. */
export type Connect = (session: Session, request: ConnectRequest, send: SendConnected) => Promise<void>;

/** Puts the connect result on the wire. */
export type SendConnected = (result: ConnectResult) => void;

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Of the untrusted map only what a proxy asks for: it is kept as long as the connection, and travels with every question. */
function keptHeaders(headers: ConnectRequest['headers'], kept: ReadonlySet<string>): Readonly<Record<string, string>> {
  if (headers === undefined || kept.size === 0) return NO_HEADERS;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => kept.has(name.toLowerCase())));
}

/** The connect flow (client-protocol §3.2): authenticate, subscribe, answer, then let publications through. */
export function createConnect(deps: ConnectDeps): Connect {
  return async (session, request, send) => {
    if (!session.transition('connecting')) throw new Disconnect(DISCONNECT_BAD_REQUEST);
    const settings = deps.settings();
    session.appName = request.name ?? '';
    session.appVersion = request.version ?? '';
    session.emulatedHeaders = keptHeaders(request.headers, settings.keptEmulatedHeaders);
    const authentication = await authenticate(deps, session, request);
    const { identity } = authentication;
    refuseBannedConnection(deps, session, identity);
    deps.limits.checkConnect(identity.user);
    // compat: where several limits are reached, 3505 comes before 3504, and both before 110.
    const granted = serverSubscriptionsOf(settings, authentication, request);
    checkUserLimit(deps, identity.user, settings);
    if (identity.expireAt > 0 && identity.expireAt < Math.floor(deps.clock.now() / 1000)) {
      throw new ClientError(EXPIRED);
    }
    if (session.isClosed) throw new Disconnect(DISCONNECT_CONNECTION_CLOSED);
    session.identity = identity;
    deps.sessions.identify(session);
    await takeOverPersonalChannel(deps, session, { settings, authentication });
    const establishDeps = { establish: deps.establish, settings };
    const ready = await openServerSubscriptions(establishDeps, session, granted, request.subs ?? {});
    goLive(deps, session, { settings, authentication, ready, send });
  };
}

/** The bidirectional command: answers with a reply. */
export function createConnectCommand(connect: Connect): CommandHandler {
  return (session, command) =>
    connect(session, command.connect ?? {}, (result) => session.reply(command.id ?? 0, { connect: result }));
}

function checkUserLimit({ sessions }: ConnectDeps, user: string, { userConnectionLimit }: GatewaySettings): void {
  if (userConnectionLimit <= 0 || user === '') return;
  if (sessions.ofUser(user).size >= userConnectionLimit) throw new Disconnect(DISCONNECT_CONNECTION_LIMIT);
}

/** `single_connection`: the user's other connections go before this one is accepted (tokens.md §6.1). */
async function takeOverPersonalChannel(
  deps: ConnectDeps,
  session: Session,
  { settings, authentication }: { readonly settings: GatewaySettings; readonly authentication: Authentication },
): Promise<void> {
  const { enabled, singleConnection, namespace } = settings.personalChannel;
  if (!enabled || !singleConnection || !authentication.mayHavePersonalChannel) return;
  const channel = personalChannel(session.user, namespace, settings.channels.syntax);
  if (channel === undefined) return;
  try {
    const { numClients } = await deps.presence.stats(channel);
    if (numClients === 0) return;
    await deps.control.broadcast({
      kind: 'disconnect',
      select: { user: session.user },
      code: DISCONNECT_CONNECTION_LIMIT.code,
      reason: DISCONNECT_CONNECTION_LIMIT.reason,
      whitelist: [session.id],
    });
  } catch (cause) {
    throw new Disconnect(DISCONNECT_SERVER_ERROR, { cause });
  }
}

interface GoingLive {
  readonly settings: GatewaySettings;
  readonly authentication: Authentication;
  readonly ready: ReadyServerSubscriptions;
  readonly send: SendConnected;
}

/** One turn: subscriptions live, result on the wire, then joins and timers. */
function goLive(deps: ConnectDeps, session: Session, { settings, authentication, ready, send }: GoingLive): void {
  if (session.isClosed) {
    ready.abandon();
    throw new Disconnect(DISCONNECT_CONNECTION_CLOSED);
  }
  session.socket.batch(() => {
    const subs = ready.finish();
    session.transition('connected');
    send(connectResult(deps, session, { settings, authentication, subs }));
    ready.announce();
  });
  const { expireAt } = authentication.identity;
  deps.timers.watchExpiry(session, expireAt, settings.refreshProxyEnabled ? 0 : settings.expiredCloseDelayMs);
  if (session.socket.traits.applicationPing && !session.isClosed) deps.heartbeat.add(session);
}

interface ResultParts {
  readonly settings: GatewaySettings;
  readonly authentication: Authentication;
  readonly subs: ConnectResult['subs'];
}

function connectResult(
  deps: ConnectDeps,
  session: Session,
  { settings, authentication, subs }: ResultParts,
): ConnectResult {
  const { traits } = session.socket;
  const { expireAt } = authentication.identity;
  const nowMs = deps.clock.now();
  const expires = expireAt > 0 && !settings.refreshProxyEnabled;
  return {
    client: session.id,
    version: COMPAT_VERSION,
    expires,
    ttl: expires ? ttlOf(expireAt, nowMs, MAX_TTL_S) : undefined,
    data: authentication.data,
    subs,
    ping: traits.applicationPing ? pingSeconds(traits.pingIntervalMs ?? settings.pingIntervalMs) : undefined,
    pong: traits.applicationPing && !traits.unidirectional && settings.pongTimeoutMs > 0,
    session: traits.emulated || traits.unidirectional ? session.sessionId : undefined,
    node: traits.emulated ? deps.control.nodeId : undefined,
    time: settings.includeServerTime ? nowMs : undefined,
  };
}

/** 0, which is left out, where there are no pings. */
function pingSeconds(intervalMs: number): number {
  return Math.max(0, Math.floor(intervalMs / 1000));
}
