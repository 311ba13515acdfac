import { RE2JS } from 're2js';

/** A start-up rule: yields one sentence per thing that is wrong, beginning with the key. */
export type Complaints = Generator<string, void, void>;

export const NAME_PATTERN: RegExp = /^[-a-zA-Z0-9_.]{2,}$/;
export const CONSUMER_NAME_PATTERN: RegExp = /^[a-zA-Z0-9_]{2,}$/;

/** Names of a list of items: shape and uniqueness. */
export function* checkNames(path: string, names: readonly string[], pattern: RegExp = NAME_PATTERN): Complaints {
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (!pattern.test(name)) yield `${path}[${index}].name ${JSON.stringify(name)} does not match ${pattern.source}`;
    if (seen.has(name)) yield `${path}[${index}].name ${JSON.stringify(name)} is used twice`;
    seen.add(name);
  }
}

/** ASCII and at most 123 bytes, as close reasons of WebSockets must be. */
export function* checkReason(path: string, reason: string): Complaints {
  if (!isAscii(reason)) yield `${path} must be ASCII`;
  if (Buffer.byteLength(reason) > 123) yield `${path} must not be longer than 123 bytes`;
}

/** An RE2 expression that must compile, if there is one. */
export function* checkRegex(path: string, source: string): Complaints {
  if (source === '') return;
  try {
    RE2JS.compile(source);
  } catch (error) {
    yield `${path} does not compile: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
