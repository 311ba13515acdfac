/**
 * Configuration before it is typed: a tree with lower-case keys, made of what file parsers give and of text that came from
 * environment variables or flags.
 */
export type RawObject = { [key: string]: unknown };

/** Text from outside the file; `name` is the variable or flag to blame. */
export class OuterText {
  readonly name: string;
  readonly text: string;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }
}

/** Whether the value is a plain object (not a list, date or outer text). */
export function isRawObject(value: unknown): value is RawObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Groups whose keys are data rather than options. */
const MAP_KEYS: ReadonlySet<string> = new Set(['static_headers', 'static_metadata', 'channel_replacements']);

/** A deep copy with lower-case keys. `keepMapKeys` leaves the keys of string maps as they are. */
export function lowerKeys(value: unknown, keepMapKeys: boolean): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => lowerKeys(item, keepMapKeys));
  if (!isRawObject(value)) return value;
  const result: RawObject = {};
  for (const [key, inner] of Object.entries(value)) {
    const lower = key.toLowerCase();
    define(result, lower, keepMapKeys && MAP_KEYS.has(lower) ? inner : lowerKeys(inner, keepMapKeys));
  }
  return result;
}

/** `over` wins leaf by leaf; lists and outer text are leaves; null does not win. */
export function mergeRaw(under: RawObject, over: RawObject): RawObject {
  const result: RawObject = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    if (value === null || value === undefined) continue;
    define(result, key, isRawObject(below) && isRawObject(value) ? mergeRaw(below, value) : value);
  }
  return result;
}

/** The value at a path, or undefined. */
export function getRaw(root: RawObject, path: readonly string[]): unknown {
  let value: unknown = root;
  for (const key of path) {
    if (!isRawObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value ?? undefined;
}

/** Sets the value at a path, making groups on the way; a value that is no group in the way is replaced. */
export function setRaw(root: RawObject, path: readonly string[], value: unknown): void {
  let group = root;
  for (const key of path.slice(0, -1)) {
    const next = Object.hasOwn(group, key) ? group[key] : undefined;
    if (isRawObject(next)) group = next;
    else {
      const made: RawObject = {};
      define(group, key, made);
      group = made;
    }
  }
  const last = path.at(-1);
  if (last !== undefined) define(group, last, value);
}

/** Plain assignment but for `__proto__`, which a file may spell. */
function define(target: RawObject, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
