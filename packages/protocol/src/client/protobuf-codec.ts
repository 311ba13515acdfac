import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { commandCodec, pushCodec, replyCodec } from './client-messages.ts';
import type { ClientCodec } from './codec.ts';
import type { Command, Reply } from './frames.ts';
import { joinMessages } from './join-messages.ts';

/** Protobuf: messages one after the other, each with its length before it (client-protocol.md §1.3.2, §2.2). */
export const protobufCodec: ClientCodec = Object.freeze({
  kind: 'protobuf',
  ping: Uint8Array.of(0),
  commands: readCommands,
  encodeReply: replyCodec.writeDelimited,
  encodePush: pushCodec.writeProtobuf,
  joinFrame: (messages: readonly Uint8Array[]): Uint8Array => joinMessages(messages),
});

/** For clients: the replies of a frame, lazily. */
export function decodeProtobufReplies(frame: Uint8Array): Iterable<Reply> {
  return replyCodec.readDelimited(frame);
}

function* readCommands(frame: Uint8Array): Generator<Command> {
  if (frame.length === 0) throw new ProtocolViolation('the frame is empty');
  yield* commandCodec.readDelimited(frame);
}
