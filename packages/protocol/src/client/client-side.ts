import { commandCodec } from './client-messages.ts';
import type { ClientCodec } from './codec.ts';
import type { Command, Reply } from './frames.ts';
import { decodeJsonReplies, jsonCodec } from './json-codec.ts';
import { decodeProtobufReplies, protobufCodec } from './protobuf-codec.ts';

// The other end of the wire, for tests and load tools.

/** One command as it stands in a frame: without delimiter in JSON, with its length before it in Protobuf. */
export function encodeCommand(kind: ClientCodec['kind'], command: Command): Uint8Array {
  return kind === 'json' ? commandCodec.writeJson(command) : commandCodec.writeDelimited(command);
}

/** One frame of several commands. */
export function encodeCommands(kind: ClientCodec['kind'], commands: readonly Command[]): Uint8Array {
  const messages = commands.map((command) => encodeCommand(kind, command));
  return codecFor(kind).joinFrame(messages);
}

/** The replies of a frame. Throws ProtocolViolation. */
export function decodeReplies(kind: ClientCodec['kind'], frame: Uint8Array): Reply[] {
  return [...(kind === 'json' ? decodeJsonReplies(frame) : decodeProtobufReplies(frame))];
}

/** The codec of an encoding by its name. */
export function codecFor(kind: ClientCodec['kind']): ClientCodec {
  return kind === 'json' ? jsonCodec : protobufCodec;
}
