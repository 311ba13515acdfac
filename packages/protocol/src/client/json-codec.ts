import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { commandCodec, pushCodec, replyCodec } from './client-messages.ts';
import type { ClientCodec } from './codec.ts';
import type { Command, Reply } from './frames.ts';
import { joinMessages } from './join-messages.ts';

const NEWLINE = 0x0a;

/** JSON: messages separated by a single newline (client-protocol.md §1.3.2, §2.1). */
export const jsonCodec: ClientCodec = Object.freeze({
  kind: 'json',
  ping: Uint8Array.of(0x7b, 0x7d),
  commands: (frame: Uint8Array): Iterable<Command> =>
    isEmptyObject(frame) ? PONG : readLines(frame, commandCodec.readJson),
  encodeReply: replyCodec.writeJson,
  encodePush: pushCodec.writeJson,
  joinFrame: (messages: readonly Uint8Array[]): Uint8Array => joinMessages(messages, NEWLINE),
});

/** What an idle client sends every so often: not worth a parser. */
const PONG: readonly Command[] = Object.freeze([Object.freeze({})]);

function isEmptyObject(frame: Uint8Array): boolean {
  return frame.length === 2 && frame[0] === 0x7b && frame[1] === 0x7d;
}

/** For clients: the replies of a frame, lazily; one trailing newline (HTTP streams) is allowed. */
export function decodeJsonReplies(frame: Uint8Array): Iterable<Reply> {
  return readLines(frame, replyCodec.readJson);
}

function* readLines<T>(frame: Uint8Array, read: (line: Uint8Array) => T): Generator<T> {
  if (frame.length === 0) throw new ProtocolViolation('the frame is empty');
  const end = frame.at(-1) === NEWLINE ? frame.length - 1 : frame.length;
  let start = 0;
  // A blank line is not JSON, so the reader refuses it; "\n" alone is one blank line.
  while (start <= end) {
    const newline = frame.indexOf(NEWLINE, start);
    const lineEnd = newline === -1 || newline > end ? end : newline;
    yield read(frame.subarray(start, lineEnd));
    start = lineEnd + 1;
  }
}
