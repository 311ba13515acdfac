import type { FrameType } from '../session/frame-type.ts';

/**
 * One accepted client connection as the rest of the gateway sees it: bytes in, bytes out, a way to end it.
 * Owned by its edge file; the session holds it from accept until `onClose`, after which every call is a no-op.
 */
export interface Socket {
  readonly traits: TransportTraits;
  readonly request: HandshakeRequest;

  /**
   * Queues one encoded message (client codec output, no frame delimiters). Order is kept, also with topic messages.
   * Never blocks and never throws; over the queue limit the edge reports `onSlow` once and drops what follows.
   * `frameType`: what metrics count it as.
   */
  send(message: Uint8Array, frameType?: FrameType): void;

  /** Everything sent inside `write` goes out together: as few frames and system calls as the transport allows. */
  batch(write: () => void): void;

  /** Fan-out topics of the transport's own; only where `traits.topics` is true. */
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;

  /**
   * Ends the connection with a disconnect code, in the transport's way (close frame or disconnect push, §1.3 to §1.8).
   * What is queued is flushed first, except for 3000 and 3008 (§3.1).
   */
  close(code: number, reason: string): void;

  /** Drops the connection without any code (§3.1 "unusable"). */
  drop(): void;

  /**
   * Unidirectional streams only: answers a failed connect with the plain HTTP response that is configured for the code of
   * the error or disconnect (§1.8). True: done, and `onClose` has been called. False or absent: `close` is the way.
   */
  readonly rejectWith?: ((code: number, message: string) => boolean) | undefined;
}

export type TransportName =
  | 'websocket'
  | 'sse'
  | 'http_stream'
  | 'uni_websocket'
  | 'uni_sse'
  | 'uni_http_stream'
  | 'uni_grpc';

/**
 * The four encodings of an outgoing message: Reply-wrapped or bare push (unidirectional transports), JSON or Protobuf.
 */
export type WireForm = 'json' | 'protobuf' | 'uni_json' | 'uni_protobuf';

export interface TransportTraits {
  readonly name: TransportName;
  readonly encoding: 'json' | 'protobuf';
  readonly form: WireForm;
  readonly unidirectional: boolean;
  /** Commands arrive by POST /emulation; ConnectResult carries session and node. */
  readonly emulated: boolean;
  /** False where WebSocket control frames replace application pings (cf_ws_frame_ping_pong). */
  readonly applicationPing: boolean;
  /** How often the transport pings, whatever is configured. */
  readonly pingIntervalMs?: number | undefined;
  /** The socket can be subscribed to fan-out topics. */
  readonly topics: boolean;
}

/** The request that established the connection: what proxies and authentication may read later. */
export interface HandshakeRequest {
  /** Lower-case names; every value in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** What a gRPC connection has instead of headers, lower-case names too. */
  readonly metadata?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Peer address as text, after trusted-proxy rules. */
  readonly remoteAddress: string;
}

/** What a session does with what its socket reports. Set by the acceptor before any event. */
export interface SocketListener {
  /**
   * One transport unit from the client (WebSocket message, POST body, emulated data). The buffer may be kept. A pong may come
   * as the very bytes of the codec's ping.
   */
  onFrame(frame: Uint8Array): void;
  /** The outgoing queue went over its limit (§3.12): the session answers with `close(3008, …)`. Never called inside `send`. */
  onSlow(): void;
  /** The connection is gone, whoever ended it. Called exactly once. */
  onClose(): void;
}

/** Makes the session of a new socket. The edge knows nothing else of sessions. */
export type AcceptSocket = (socket: Socket) => SocketListener;

export interface TopicMessageKind {
  /** Selects the WebSocket opcode: JSON forms are text, Protobuf forms binary. */
  readonly form: WireForm;
  readonly frameType: FrameType;
  /** How many sockets are subscribed. */
  readonly receivers: number;
}

/** Sends one message to every socket subscribed to a topic. */
export interface TopicPublisher {
  publish(topic: string, message: Uint8Array, kind: TopicMessageKind): void;
}
