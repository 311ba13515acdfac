const START = Buffer.from('{"stream":"');
const BEFORE_SEQUENCE = Buffer.from('"seq":');
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const CLOSING_BRACE = 0x7d;

/**
 * The sequence in an acknowledgement that says nothing but that a message was stored: `{"stream":"log", "seq":17}`. 0 for
 * every other one, which is for a parser of JSON then; that takes ten times as long. What tells of an error begins with it.
 */
export function readStoredAck(bytes: Uint8Array): number {
  const end = bytes.length - 1;
  if (bytes[end] !== CLOSING_BRACE || !hasAt(bytes, 0, START)) return 0;
  let at = end - 1;
  let sequence = 0;
  for (let unit = 1; ; unit *= 10, at -= 1) {
    const byte = bytes[at] ?? 0;
    if (byte < DIGIT_0 || byte > DIGIT_9) break;
    sequence += (byte - DIGIT_0) * unit;
  }
  if (bytes[at] === SPACE) at -= 1;
  const isSequence = at < end - 1 && hasAt(bytes, at + 1 - BEFORE_SEQUENCE.length, BEFORE_SEQUENCE);
  return isSequence && Number.isSafeInteger(sequence) ? sequence : 0;
}

function hasAt(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  if (start < 0) return false;
  for (let index = 0; index < wanted.length; index++) if (bytes[start + index] !== wanted[index]) return false;
  return true;
}
