/** One frame of several messages, with a byte between them if one is given; the only message is returned as it is. */
export function joinMessages(messages: readonly Uint8Array[], delimiter?: number): Uint8Array {
  const [only] = messages;
  if (only !== undefined && messages.length === 1) return only;
  let length = delimiter === undefined ? 0 : Math.max(messages.length - 1, 0);
  for (const message of messages) length += message.length;
  const frame = Buffer.allocUnsafe(length);
  let at = 0;
  for (const message of messages) {
    if (at > 0 && delimiter !== undefined) frame[at++] = delimiter;
    frame.set(message, at);
    at += message.length;
  }
  return new Uint8Array(frame.buffer, frame.byteOffset, length);
}
