import type { Command } from '@carillon/protocol/client';
import {
  BAD_REQUEST,
  ClientError,
  Disconnect,
  DISCONNECT_BAD_REQUEST,
  DISCONNECT_NOT_AVAILABLE,
  DISCONNECT_SERVER_ERROR,
  DISCONNECT_TOO_MANY_ERRORS,
  INTERNAL_ERROR,
  NOT_AVAILABLE,
  UNRECOVERABLE_POSITION,
} from '@carillon/protocol/codes';
import { BrokerError } from '@carillon/cluster';
import { OperationalError, type Clock, type Log } from '@carillon/service-kit';
import type { CloseConnection } from '../connection/close-connection.ts';
import type { ConnectionMetrics } from '../connection/connection-metrics.ts';
import type { ConnectionTimers } from '../connection/connection-timers.ts';
import type { Dispatch } from '../connection/accept-connection.ts';
import type { Heartbeat } from '../session/heartbeat.ts';
import type { Session } from '../session/session.ts';
import type { CommandHandler } from './handler.ts';
import type { CommandLimits } from './limit/command-limits.ts';
import { frameTypeOf, frameTypeOfCommand, METHODS, methodOf, type Method } from '../session/method.ts';

/** Every command that has a handler of its own. */
export type Handlers = Readonly<Record<Exclude<Method, 'ping' | 'send'>, CommandHandler>>;

export interface DispatchDeps {
  readonly handlers: Handlers;
  readonly limits: CommandLimits;
  readonly heartbeat: Heartbeat;
  readonly close: CloseConnection;
  readonly timers: ConnectionTimers;
  readonly metrics: ConnectionMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long a WebSocket client that was refused may take to close by itself (client-protocol §3.1). */
const UNUSABLE_CLOSE_DELAY_MS = 5000;

/** Finds the handler of each command and turns what it throws into frames: the only place that does. */
export function createDispatch(deps: DispatchDeps): Dispatch {
  return (session, command) => {
    const startedAt = deps.clock.monotonic();
    const method = methodOf(command);
    let isAdmitted = false;
    try {
      const refused = admit(deps, session, { command, method });
      if (refused || method === undefined) return undefined;
      isAdmitted = true;
      deps.limits.check(session, method, command);
      const done = handlerOf(deps.handlers, method, command)(session, command);
      if (done === undefined) {
        observe(deps, method, startedAt);
        return undefined;
      }
      return done
        .catch((error: unknown) => answerFailure(deps, session, { command, method, error }))
        .then(() => observe(deps, method, startedAt));
    } catch (error) {
      answerFailure(deps, session, { command, method, error });
      if (isAdmitted && method !== undefined) observe(deps, method, startedAt);
      return undefined;
    }
  };
}

function observe(deps: DispatchDeps, method: Method, startedAt: number): void {
  deps.metrics.observeCommand(frameTypeOf(method), (deps.clock.monotonic() - startedAt) / 1000);
}

/** True when there is nothing to execute: the session takes no commands, or this was a pong. */
function admit(
  deps: DispatchDeps,
  session: Session,
  { command, method }: { readonly command: Command; readonly method: Method | undefined },
): boolean {
  if (session.isClosed) return true;
  if (session.state === 'unusable') {
    // compat: a refused WebSocket is left to close itself, an emulated connection is told.
    if (session.socket.traits.emulated) throw new Disconnect(DISCONNECT_BAD_REQUEST);
    return true;
  }
  const id = command.id ?? 0;
  if (session.state === 'unauthenticated' || session.state === 'connecting') {
    if (method !== 'connect' || id === 0) throw new Disconnect(DISCONNECT_BAD_REQUEST);
    return false;
  }
  // compat: whatever has no id and is not `send` counts as a pong, other fields are not looked at (§3.3).
  if (id === 0 && method !== 'send') {
    if (deps.heartbeat.pong(session) === 'unexpected') throw new Disconnect(DISCONNECT_BAD_REQUEST);
    return true;
  }
  if (method === undefined) throw new Disconnect(DISCONNECT_BAD_REQUEST);
  return false;
}

function handlerOf(handlers: Handlers, method: Method, command: Command): CommandHandler {
  if (method === 'send') throw new Disconnect(DISCONNECT_NOT_AVAILABLE);
  if (method !== 'ping') return handlers[method];
  // compat: a lone ping is a protocol violation, one beside another request is not available (§3.4).
  const hasOther = METHODS.some((name) => name !== 'ping' && command[name] !== undefined);
  throw hasOther ? new ClientError(NOT_AVAILABLE) : new Disconnect(DISCONNECT_BAD_REQUEST);
}

interface Failure {
  readonly command: Command;
  readonly method: Method | undefined;
  readonly error: unknown;
}

function answerFailure(deps: DispatchDeps, session: Session, { command, method, error }: Failure): void {
  if (session.isClosed) return;
  const failure = documentedFailure(error);
  if (failure instanceof Disconnect) {
    if (!(error instanceof Disconnect)) logBug(deps.log, session, { method, error });
    deps.close.disconnect(session, failure);
    return;
  }
  if (failure.code === INTERNAL_ERROR.code) {
    deps.log.warn('command failed', { client: session.id, method, error: causeText(error) });
  }
  deps.metrics.countReplyError(frameTypeOf(method), failure.code);
  if (method === 'connect') {
    refuseConnect(deps, session, { command, failure });
    return;
  }
  replyError(session, command, failure);
  // Internal errors are not the client's fault.
  if (failure.code === INTERNAL_ERROR.code || deps.limits.mayGoOnAfterError(session)) return;
  deps.close.disconnect(session, DISCONNECT_TOO_MANY_ERRORS);
}

function replyError(session: Session, command: Command, { code, message, temporary }: ClientError): void {
  session.reply(command.id ?? 0, { error: { code, message, temporary } }, frameTypeOfCommand(command));
}

/** The connection stays, unusable: the client closes it, or we do when it does not (§3.1). */
function refuseConnect(
  deps: DispatchDeps,
  session: Session,
  { command, failure }: { readonly command: Command; readonly failure: ClientError },
): void {
  replyError(session, command, failure);
  session.transition('unusable');
  if (!session.socket.traits.emulated) deps.timers.watchUnusable(session, UNUSABLE_CLOSE_DELAY_MS);
}

/** What a client is told of an error: rows of the tables as they are, outages as error 100, bugs as disconnect 3004. */
export function documentedFailure(error: unknown): ClientError | Disconnect {
  if (error instanceof ClientError || error instanceof Disconnect) return error;
  if (error instanceof BrokerError) return brokerFailure(error);
  if (error instanceof OperationalError) return new ClientError(INTERNAL_ERROR, { cause: error });
  return new Disconnect(DISCONNECT_SERVER_ERROR, { cause: error });
}

function brokerFailure(error: BrokerError): ClientError {
  switch (error.code) {
    case 'unrecoverable':
      return new ClientError(UNRECOVERABLE_POSITION, { cause: error });
    case 'unavailable':
      return new ClientError(NOT_AVAILABLE, { cause: error });
    case 'bad_request':
      return new ClientError(BAD_REQUEST, { cause: error });
  }
}

function causeText(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
}

function logBug(log: Log, session: Session, { method, error }: { method: Method | undefined; error: unknown }): void {
  const stack = error instanceof Error ? error.stack : undefined;
  log.error('command threw', { client: session.id, method, error: stack ?? String(error) });
}
