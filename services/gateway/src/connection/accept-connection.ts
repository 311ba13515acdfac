import type { ClientCodec, Command } from '@carillon/protocol/client';
import {
  DISCONNECT_BAD_REQUEST,
  DISCONNECT_INAPPROPRIATE_PROTOCOL,
  DISCONNECT_SERVER_ERROR,
  DISCONNECT_SLOW,
  DISCONNECT_TOO_MANY_REQUESTS,
  ProtocolViolation,
} from '@carillon/protocol/codes';
import type { Clock, Log } from '@carillon/service-kit';
import { CommandQueue, type CommandQueueOptions } from './command-queue.ts';
import { frameTypeOfCommand } from '../session/method.ts';
import type { AcceptSocket, Socket, SocketListener, TransportName } from '../edge/socket.ts';
import type { FrameType } from '../session/frame-type.ts';
import type { Heartbeat } from '../session/heartbeat.ts';
import { Session } from '../session/session.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { CloseConnection } from './close-connection.ts';
import type { ConnectionTimers } from './connection-timers.ts';
import type { EmulatedSessions } from './emulated-sessions.ts';

/** Executes one command; never rejects. Returns a promise only when it waits. */
export type Dispatch = (session: Session, command: Command) => Promise<void> | undefined;

/** Counts a command of a client. */
export type CountReceived = (transport: TransportName, frameType: FrameType, bytes: number) => void;

export interface AcceptConnectionDeps {
  readonly codecs: { readonly json: ClientCodec; readonly protobuf: ClientCodec };
  readonly sessions: SessionTable;
  readonly emulated: EmulatedSessions;
  readonly timers: ConnectionTimers;
  readonly close: CloseConnection;
  readonly dispatch: Dispatch;
  readonly heartbeat: Pick<Heartbeat, 'pong'>;
  /** The whole of what a unidirectional client ever says: its connect request. */
  readonly connectUnidirectional: (session: Session, frame: Uint8Array) => void;
  readonly onInsufficientState: (session: Session, channel: string) => void;
  readonly countReceived: CountReceived;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: () => { readonly concurrency: number; readonly staleCloseDelayMs: number };
}

/** Makes the session of each new socket and feeds it: frames to commands, socket events to the session's end. */
export function createAcceptConnection(deps: AcceptConnectionDeps): AcceptSocket {
  const hooks = {
    onInsufficientState: deps.onInsufficientState,
    onInappropriatePayload: (session: Session) => deps.close.disconnect(session, DISCONNECT_INAPPROPRIATE_PROTOCOL),
  };
  return (socket: Socket) => {
    const { concurrency, staleCloseDelayMs } = deps.limits();
    const session = new Session({
      id: deps.newId(),
      sessionId: deps.newId(),
      socket,
      codec: deps.codecs[socket.traits.encoding],
      connectedAt: deps.clock.now(),
      hooks,
    });
    deps.sessions.add(session);
    deps.timers.watchStale(session, staleCloseDelayMs);
    const listener = new ConnectionListener(deps, session, concurrency);
    if (socket.traits.emulated) deps.emulated.add(session.sessionId, listener);
    return listener;
  };
}

/** What each connection has besides its session. One object, since there are many connections. */
class ConnectionListener implements SocketListener, CommandQueueOptions {
  readonly #deps: AcceptConnectionDeps;
  readonly #session: Session;
  readonly #concurrency: number;
  readonly #queue: CommandQueue;
  /** An unsubscribe waits for the subscribe of its channel. */
  #isUnsubscribing = false;

  constructor(deps: AcceptConnectionDeps, session: Session, concurrency: number) {
    this.#deps = deps;
    this.#session = session;
    this.#concurrency = concurrency;
    this.#queue = new CommandQueue(this);
  }

  concurrency(): number {
    return this.#session.state === 'connected' && !this.#isUnsubscribing ? this.#concurrency : 1;
  }

  handle(command: Command): Promise<void> | undefined {
    const done = this.#deps.dispatch(this.#session, command);
    if (done === undefined) return undefined;
    if (command.unsubscribe !== undefined) {
      // Nothing overtakes it: the next subscribe to the channel would find the one before it (§3.4 C1, C6).
      this.#isUnsubscribing = true;
      return done.then(() => {
        this.#isUnsubscribing = false;
      });
    }
    if (this.#session.state === 'connected') return done;
    return done.then(() => {
      // Nothing behind a failed connect in its frame is processed, whatever it is (§3.2).
      if (this.#session.state === 'unusable') this.#queue.clear();
    });
  }

  onFrame(frame: Uint8Array): void {
    const session = this.#session;
    const { name, unidirectional } = session.socket.traits;
    if (frame === session.codec.ping && this.#isPong()) {
      this.#deps.countReceived(name, 'client_pong', frame.length);
    } else if (unidirectional) {
      this.#deps.countReceived(name, 'connect', frame.length);
      this.#deps.connectUnidirectional(session, frame);
    } else receiveFrame(this.#deps, { session, queue: this.#queue }, frame);
  }

  /** The short way of an idle connection's pongs. False: the frame has to go the way of all commands. */
  #isPong(): boolean {
    if (this.#session.state !== 'connected' || !this.#queue.isIdle) return false;
    return this.#deps.heartbeat.pong(this.#session) === 'ok';
  }

  onSlow(): void {
    this.#deps.close.disconnect(this.#session, DISCONNECT_SLOW);
  }

  onClose(): void {
    this.#queue.clear();
    this.#deps.emulated.remove(this.#session.sessionId);
    this.#deps.close.gone(this.#session);
  }
}

/** client-protocol §1.3.2: commands before a malformed one are executed, processing stops at the first that closes. */
function receiveFrame(
  deps: AcceptConnectionDeps,
  { session, queue }: { session: Session; queue: CommandQueue },
  frame: Uint8Array,
): void {
  const wasUnusable = session.state === 'unusable';
  // compat: a refused WebSocket is not listened to any more (§3.1).
  if (wasUnusable && !session.socket.traits.emulated) return;
  if (queue.isFull) {
    deps.close.disconnect(session, DISCONNECT_TOO_MANY_REQUESTS);
    return;
  }
  // The bytes of a frame count with its first command.
  let bytes = frame.length;
  try {
    // One batch: everything that is answered at once leaves in one frame.
    session.socket.batch(() => {
      for (const command of session.codec.commands(frame)) {
        if (session.isClosed || (session.state === 'unusable' && !wasUnusable)) return;
        deps.countReceived(session.socket.traits.name, frameTypeOfCommand(command), bytes);
        queue.push(command, bytes);
        bytes = 0;
      }
    });
  } catch (error) {
    if (error instanceof ProtocolViolation) {
      // Commands that came before it and still wait are answered first.
      queue.whenIdle(() => deps.close.disconnect(session, DISCONNECT_BAD_REQUEST));
      return;
    }
    deps.log.error('frame handling failed', { client: session.id, error: String(error) });
    deps.close.disconnect(session, DISCONNECT_SERVER_ERROR);
  }
}
