import type { Command, Push, Reply } from './frames.ts';

/**
 * One encoding of the client protocol. Called by the edge for every frame in and out; stateless, so one instance serves
 * every connection of that encoding.
 */
export interface ClientCodec {
  readonly kind: 'json' | 'protobuf';
  /** Server ping and client pong: `{}`, or the one byte 00. A ping of uni gRPC is `encodePush({})`, no bytes at all. */
  readonly ping: Uint8Array;
  /**
   * The commands of a frame in order, decoded one by one as the caller asks: a command before a malformed one is still
   * yielded, then ProtocolViolation is thrown. An empty frame is a violation. Raw fields are views of the frame: the
   * caller must own its memory for as long as it uses the commands.
   */
  readonly commands: (frame: Uint8Array) => Iterable<Command>;
  /** One message: without delimiter in JSON, with its length prefix in Protobuf. Feed it to {@link joinFrame}. */
  readonly encodeReply: (reply: Reply) => Uint8Array;
  /** A bare push for unidirectional transports: never delimited, since uni gRPC and uni WebSocket frame it themselves. */
  readonly encodePush: (push: Push) => Uint8Array;
  /** One frame of several messages that {@link encodeReply} gave; the only message is returned as it is. */
  readonly joinFrame: (messages: readonly Uint8Array[]) => Uint8Array;
}
