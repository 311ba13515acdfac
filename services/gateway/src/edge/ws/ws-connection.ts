import type { WebSocket } from 'uWebSockets.js';
import type { ClientCodec } from '@carillon/protocol/client';
import {
  DISCONNECT_BAD_REQUEST,
  DISCONNECT_CONNECTION_CLOSED,
  DISCONNECT_SLOW,
  MAX_DISCONNECT_REASON_BYTES,
} from '@carillon/protocol/codes';
import type { TimerHandle } from '@carillon/service-kit';
import type { FrameType } from '../../session/frame-type.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { HandshakeRequest, Socket, SocketListener, TransportTraits } from '../socket.ts';
import type { Misser } from './missed-messages.ts';
import type { WatchedWriter } from './write-watch.ts';

/** What uWebSockets.js keeps for each socket: it copies these properties on its own object. */
export interface WsUserData {
  readonly connection: WsConnection;
}

/** What all connections of one WebSocket endpoint and encoding share. */
export interface WsEndpoint {
  readonly context: EdgeContext;
  readonly traits: TransportTraits;
  readonly codec: ClientCodec;
  /** Incoming bytes; the second counts after decompression. */
  readonly messageSizeLimit: number;
  readonly decompressedMessageSizeLimit: number;
  /** Outgoing messages of this size and above are compressed; Infinity compresses nothing. */
  readonly compressFrom: number;
  /** Messages sent together share frames. */
  readonly joinsMessages: boolean;
  /** Only the first message means anything (the connect request); the rest is read and discarded. */
  readonly readsFirstOnly: boolean;
  /** Whether the first message makes sense. One that does not ends the connection, and the session hears nothing of it. */
  readonly acceptsFirst?: ((message: Uint8Array) => boolean) | undefined;
  readonly usesFramePings: boolean;
  /** The last message before the close frame, if the transport has one. */
  readonly encodeDisconnect: ((code: number, reason: string) => Uint8Array) | undefined;
  readonly hasClosingHandshake: boolean;
  /** How long a client may take nothing of what waits for it. */
  readonly writeTimeoutMs: number;
}

/** client-protocol §3.12. */
const MAX_MESSAGES_PER_FRAME = 16;

/** Such a message ends the frame: joining copies, and saves little next to it. */
const LARGE_MESSAGE_BYTES = 16_384;

/** How long a close frame waits for a slow client to take what was queued before it. */
const CLOSE_DRAIN_MS = 5000;

const CLOSE_MESSAGE_TOO_BIG = 1009;

const NORMAL = 1;
const DROPPED = 2;

/**
 * `open`: messages flow. `slow`: over the queue limit, told the listener, nothing is sent any more. `closing`: a close is on
 * its way. `closed`: the socket is gone.
 */
type State = 'opening' | 'open' | 'slow' | 'closing' | 'closed';

/** What remains to be done when a batch ends: uWebSockets.js must not be closed while it is corked. */
type AfterBatch = { readonly code: number; readonly reason: string } | 'drop' | undefined;

/** A WebSocket as the session sees it. uWebSockets.js keeps the outgoing queue; this bounds it. */
export class WsConnection implements Socket, WatchedWriter, Misser {
  readonly traits: TransportTraits;
  readonly request: HandshakeRequest;
  readonly #endpoint: WsEndpoint;
  readonly #receiveLimit: number;
  readonly #isBinary: boolean;
  #ws: WebSocket<WsUserData> | undefined = undefined;
  #listener: SocketListener | undefined = undefined;
  #firstFrame: Uint8Array | undefined;
  #state: State = 'opening';
  /** Sent by the session, not yet handed to uWebSockets.js: at most one frame, and mostly one message. */
  #pending: Uint8Array | undefined = undefined;
  #morePending: Uint8Array[] | undefined = undefined;
  #isInBatch = false;
  #isAwaitingTurnEnd = false;
  #afterBatch: AfterBatch = undefined;
  #closeReason: { readonly code: number; readonly reason: string } | undefined = undefined;
  #drainDeadline: TimerHandle | undefined = undefined;
  #hasReadFirst = false;

  constructor(
    endpoint: WsEndpoint,
    request: HandshakeRequest,
    options: { readonly isCompressed: boolean; readonly firstFrame?: Uint8Array | undefined },
  ) {
    this.traits = endpoint.traits;
    this.request = request;
    this.#endpoint = endpoint;
    // uWebSockets.js does not tell which messages came compressed, so the larger limit goes for the whole connection.
    this.#receiveLimit = options.isCompressed ? endpoint.decompressedMessageSizeLimit : endpoint.messageSizeLimit;
    this.#isBinary = endpoint.traits.encoding === 'protobuf';
    this.#firstFrame = options.firstFrame;
  }

  // What the session calls.

  send(message: Uint8Array, frameType: FrameType = 'unknown'): void {
    if (this.#state !== 'open') return;
    this.#endpoint.context.observer.onSent(this.traits.name, frameType, message.length);
    if (!this.#endpoint.joinsMessages) {
      this.#write(message);
      return;
    }
    const count = this.#hold(message);
    if (count >= MAX_MESSAGES_PER_FRAME || message.length >= LARGE_MESSAGE_BYTES) this.#flush();
    else if (!this.#isAwaitingTurnEnd) {
      this.#isAwaitingTurnEnd = true;
      this.#endpoint.context.pendingWrites.atTurnEnd(this);
    }
  }

  /** What does not fill a frame waits for the end of the turn, as it does outside of batches. */
  batch(write: () => void): void {
    const ws = this.#ws;
    if (ws === undefined || this.#isInBatch) {
      write();
      return;
    }
    let failure: { readonly error: unknown } | undefined;
    this.#isInBatch = true;
    ws.cork(() => {
      try {
        write();
      } catch (error) {
        failure = { error };
      }
    });
    this.#isInBatch = false;
    this.#finishBatch();
    if (failure !== undefined) throw failure.error;
  }

  subscribe(topic: string): void {
    if (this.#state === 'open') this.#ws?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    if (this.#state === 'open') this.#ws?.unsubscribe(topic);
  }

  close(code: number, reason: string): void {
    if (this.#ws === undefined || this.#state === 'closing') return;
    if (code !== DISCONNECT_CONNECTION_CLOSED.code && code !== DISCONNECT_SLOW.code) this.#sendLast(code, reason);
    this.#state = 'closing';
    if (!this.#isInBatch) this.#close(code, reason);
    else this.#afterBatch ??= { code, reason };
  }

  drop(): void {
    if (this.#ws === undefined) return;
    this.#state = 'closing';
    if (!this.#isInBatch) this.#ws.close();
    else this.#afterBatch = 'drop';
  }

  // What the endpoint calls.

  /** The handshake is done. */
  open(ws: WebSocket<WsUserData>): void {
    const { context, usesFramePings } = this.#endpoint;
    this.#ws = ws;
    this.#state = 'open';
    const listener = context.accept(this);
    if (this.#isClosed) {
      listener.onClose();
      return;
    }
    this.#listener = listener;
    if (usesFramePings) context.framePings.add(this);
    context.writeWatch.add(this);
    const first = this.#firstFrame;
    this.#firstFrame = undefined;
    if (first !== undefined) this.receive(first);
  }

  /** A message whose memory the connection may keep. */
  receive(frame: Uint8Array): void {
    const { readsFirstOnly, acceptsFirst } = this.#endpoint;
    if (this.#state !== 'open') return;
    if (readsFirstOnly && this.#hasReadFirst) return;
    const isAcceptable = this.#hasReadFirst || acceptsFirst === undefined || acceptsFirst(frame);
    this.#hasReadFirst = true;
    if (isAcceptable) this.#listener?.onFrame(frame);
    else this.#closeByFrame(DISCONNECT_BAD_REQUEST.code, DISCONNECT_BAD_REQUEST.reason);
  }

  /** A message in memory of uWebSockets.js, which takes it back after this call. */
  receiveBorrowed(message: ArrayBuffer): void {
    if (message.byteLength > this.#receiveLimit) {
      this.#closeByFrame(CLOSE_MESSAGE_TOO_BIG, '');
      return;
    }
    const bytes = new Uint8Array(message);
    const { ping } = this.#endpoint.codec;
    // An idle client says nothing else: its pong looks as the ping does, so nothing has to be copied.
    this.receive(isSame(bytes, ping) ? ping : bytes.slice());
  }

  /** uWebSockets.js dropped a message, because the queue is over its limit. May be in the middle of a publish. */
  overflow(): void {
    this.#becomeSlow();
  }

  /** The queue got shorter. */
  drain(): void {
    const ws = this.#ws;
    this.#endpoint.context.writeWatch.progressed(this);
    if (ws === undefined || this.#closeReason === undefined) return;
    if (ws.getBufferedAmount() <= this.#endpoint.context.settings.queueMaxSize) this.#end(ws, this.#closeReason);
  }

  closed(): void {
    this.#ws = undefined;
    this.#state = 'closed';
    this.#drainDeadline?.cancel();
    this.#endpoint.context.framePings.remove(this);
    this.#endpoint.context.writeWatch.remove(this);
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onClose();
  }

  pingFrame(): void {
    if (this.#state === 'open') this.#ws?.ping();
  }

  get writeTimeoutMs(): number {
    return this.#endpoint.writeTimeoutMs;
  }

  get bufferedBytes(): number {
    return this.#ws?.getBufferedAmount() ?? 0;
  }

  writeTimedOut(): void {
    this.#becomeSlow();
  }

  leaveTopics(): void {
    const ws = this.#ws;
    if (ws !== undefined) for (const topic of ws.getTopics()) ws.unsubscribe(topic);
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  turnEnd(): void {
    this.#isAwaitingTurnEnd = false;
    this.#flush();
  }

  #flush(): void {
    const first = this.#pending;
    if (first === undefined) return;
    const more = this.#morePending;
    this.#pending = undefined;
    this.#morePending = undefined;
    if (this.#state !== 'open') return;
    this.#write(more === undefined ? first : this.#endpoint.codec.joinFrame([first, ...more]));
  }

  /** Says how many messages are held now. */
  #hold(message: Uint8Array): number {
    if (this.#pending === undefined) {
      this.#pending = message;
      return 1;
    }
    this.#morePending ??= [];
    return 1 + this.#morePending.push(message);
  }

  #write(frame: Uint8Array): void {
    const ws = this.#ws;
    if (ws === undefined) return;
    const { context, compressFrom } = this.#endpoint;
    const status = ws.send(frame, this.#isBinary, frame.length >= compressFrom);
    if (status === NORMAL) return;
    if (status === DROPPED || ws.getBufferedAmount() > context.settings.queueMaxSize) this.#becomeSlow();
    else context.writeWatch.backedUp(this);
  }

  #becomeSlow(): void {
    if (this.#state !== 'open') return;
    this.#state = 'slow';
    // In a turn of its own: the caller may be in a loop over subscribers, or uWebSockets.js in one over topics, and neither
    // survives what the session does now.
    setImmediate(() => {
      if (this.#state === 'slow') this.#listener?.onSlow();
    });
    this.#endpoint.context.missedMessages.add(this);
  }

  #sendLast(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#flush();
    const { context, encodeDisconnect } = this.#endpoint;
    if (encodeDisconnect !== undefined) {
      const push = encodeDisconnect(code, reason);
      context.observer.onSent(this.traits.name, 'push_disconnect', push.length);
      this.#write(push);
    }
  }

  #finishBatch(): void {
    const after = this.#afterBatch;
    this.#afterBatch = undefined;
    if (after === undefined || this.#ws === undefined) return;
    if (after === 'drop') this.#ws.close();
    else this.#close(after.code, after.reason);
  }

  /** compat: what the edge itself objects to is said by the close frame alone, also where others follow a disconnect push. */
  #closeByFrame(code: number, reason: string): void {
    if (this.#state === 'closing') return;
    this.#flush();
    this.#state = 'closing';
    this.#close(code, reason);
  }

  #close(code: number, reason: string): void {
    const ws = this.#ws;
    if (ws === undefined) return;
    if (code === DISCONNECT_CONNECTION_CLOSED.code) ws.close();
    else if (!this.#endpoint.hasClosingHandshake) this.#closeWithoutHandshake();
    else if (ws.getBufferedAmount() <= this.#queueLimitOfClose(code)) this.#end(ws, { code, reason });
    else this.#endWhenDrained({ code, reason });
  }

  /** A slow client may never take what waits; then its connection must not live on without an owner. */
  #queueLimitOfClose(code: number): number {
    return code === DISCONNECT_SLOW.code ? 0 : this.#endpoint.context.settings.queueMaxSize;
  }

  /** In a turn of its own, because what was just sent may still be corked and would be lost. */
  #closeWithoutHandshake(): void {
    setImmediate(() => this.#ws?.close());
  }

  /**
   * Over the limit uWebSockets.js drops even close frames. So nothing is added any more, and the frame follows once the
   * client has taken enough; a client that takes nothing is dropped.
   */
  #endWhenDrained(close: { readonly code: number; readonly reason: string }): void {
    this.leaveTopics();
    this.#closeReason = close;
    this.#drainDeadline = this.#endpoint.context.clock.setTimer(CLOSE_DRAIN_MS, () => this.#ws?.close());
  }

  #end(ws: WebSocket<WsUserData>, { code, reason }: { readonly code: number; readonly reason: string }): void {
    this.#endpoint.context.observer.onCloseFrame(this.traits.name, code);
    ws.end(code, truncateReason(reason));
  }
}

/** For a few bytes. */
function isSame(bytes: Uint8Array, other: Uint8Array): boolean {
  if (bytes.length !== other.length) return false;
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] !== other[at]) return false;
  return true;
}

/** Whole characters that fit in a close frame. */
function truncateReason(reason: string): Uint8Array {
  const bytes = new Uint8Array(MAX_DISCONNECT_REASON_BYTES);
  return bytes.subarray(0, new TextEncoder().encodeInto(reason, bytes).written);
}
