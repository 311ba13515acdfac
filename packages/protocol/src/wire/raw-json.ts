import { ProtocolViolation } from '../codes/protocol-violation.ts';
import type { ByteSink } from './byte-sink.ts';
import { JsonScanner } from './json-scanner.ts';

// Payloads: JSON that travels through us as text.

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;

/** Thrown by the API and proxy encoders for a payload that cannot be embedded because it is not JSON. */
export class InvalidPayload extends Error {
  override readonly name = 'InvalidPayload';
  readonly code = 'invalid_payload';
}

/** Whether the bytes are one JSON value, whitespace around it allowed. Text that is not UTF-8 is let through in strings. */
export function isValidJson(bytes: Uint8Array): boolean {
  const scanner = new JsonScanner(bytes);
  try {
    scanner.skipValue();
  } catch (error) {
    if (error instanceof ProtocolViolation) return false;
    throw error;
  }
  return scanner.isAtEnd();
}

/** Whether the bytes are one JSON object (`publication_data_format: json_object`). */
export function isJsonObject(bytes: Uint8Array): boolean {
  return new JsonScanner(bytes).peek() === OPEN_BRACE && isValidJson(bytes);
}

/** The same bytes without 0x0A, which delimits messages (J6); the argument itself when it has none. */
export function withoutNewlines(bytes: Uint8Array): Uint8Array {
  return bytes.includes(NEWLINE) ? bytes.filter((byte) => byte !== NEWLINE) : bytes;
}

const ESCAPED: ReadonlyMap<number, string> = new Map([
  [0x26, String.raw`\u0026`],
  [0x3c, String.raw`\u003c`],
  [0x3e, String.raw`\u003e`],
]);

/** Characters that embedding in HTML would give a meaning; the text of their escapes. */
const ESCAPED_CHARACTERS: Readonly<Record<string, string>> = {
  '&': String.raw`\u0026`,
  '<': String.raw`\u003c`,
  '>': String.raw`\u003e`,
  '\u2028': String.raw`\u2028`,
  '\u2029': String.raw`\u2029`,
};

/** A JSON string literal with the escapes of all our output, clients included (J8). */
export function escapedJsonString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (found) => ESCAPED_CHARACTERS[found] ?? found,
  );
}

/** Embeds a payload in API output: whitespace gone, `<` `>` `&` U+2028 U+2029 escaped (server-api.md §2). */
export function appendCompacted(sink: ByteSink, payload: Uint8Array): void {
  if (!isValidJson(payload)) throw new InvalidPayload('the payload is not JSON');
  let isInString = false;
  for (let at = 0; at < payload.length; at++) {
    const byte = payload[at] ?? 0;
    if (!isInString) {
      if (byte > 0x20) sink.byte(byte);
      isInString = byte === QUOTE;
      continue;
    }
    const escape = ESCAPED.get(byte) ?? lineSeparatorEscape(payload, at);
    if (escape !== undefined) {
      sink.text(escape);
      if (byte === 0xe2) at += 2;
      continue;
    }
    sink.byte(byte);
    if (byte === QUOTE) isInString = false;
    else if (byte === BACKSLASH) sink.byte(payload[++at] ?? 0);
  }
}

function lineSeparatorEscape(payload: Uint8Array, at: number): string | undefined {
  if (payload[at] !== 0xe2 || payload[at + 1] !== 0x80) return undefined;
  if (payload[at + 2] === 0xa8) return String.raw`\u2028`;
  return payload[at + 2] === 0xa9 ? String.raw`\u2029` : undefined;
}
