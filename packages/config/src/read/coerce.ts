import type { DurationField, IntField, LeafField, ListField, StringField, StringMap } from '../option/field.ts';
import { parseDuration } from './go-duration.ts';
import { parseReason } from './parse-reason.ts';
import { isRawObject, OuterText, type RawObject } from './raw-value.ts';

/** What a leaf reader may say about a value. */
export interface LeafContext {
  readonly warn: (message: string) => void;
  readonly fail: (message: string) => never;
  /** Looks up `${…_VAR_X}` references of string maps. */
  readonly variable: (name: string) => string | undefined;
}

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);
const VARIABLE = /\$\{((?:CENTRIFUGO|CARILLON)_VAR_[A-Za-z0-9_]+)\}/g;

/** Types a raw value. The zero value of an option with another default is the default (channels-and-config.md 3.1). */
export function readLeaf(field: LeafField, raw: unknown, context: LeafContext): unknown {
  const outer = raw instanceof OuterText;
  const value = outer ? raw.text : raw;
  switch (field.kind) {
    case 'string':
      return readString(field, value, context);
    case 'bool':
      return readBool(value) ?? context.fail(`must be true or false, not ${show(value)}`);
    case 'int': {
      const number = readInt(field, value, context);
      const keepsZero = outer && field.keepsZeroFromEnv === true;
      return number === 0 && !keepsZero && !isWord(field, value) ? field.default : number;
    }
    case 'duration':
      return readDuration(field, value, context) || field.default;
    case 'list': {
      const list = readList(field, value, outer, context);
      return list.length === 0 ? field.default : list;
    }
    case 'map':
      return readMap(value, context);
  }
}

function readString(field: StringField, value: unknown, context: LeafContext): string {
  const result = scalar(value) ?? context.fail(`must be text, not ${kindOf(value)}`);
  if (result === '') return field.default;
  if (field.oneOf !== undefined && !field.oneOf.includes(result)) {
    context.fail(`has the unknown value ${show(result)}; known are ${words(field.oneOf)}`);
  }
  return result;
}

/** The boolean of a raw value, if it is one. */
export function readBool(value: unknown): boolean | undefined {
  const bare = value instanceof OuterText ? value.text : value;
  if (typeof bare === 'boolean') return bare;
  if (bare === 0 || bare === 1) return bare === 1;
  if (typeof bare !== 'string') return undefined;
  if (bare === '') return false;
  return TRUE.has(bare) ? true : FALSE.has(bare) ? false : undefined;
}

function isWord(field: IntField, value: unknown): boolean {
  return typeof value === 'string' && field.words?.[value] !== undefined;
}

function readInt(field: IntField, value: unknown, context: LeafContext): number {
  const word = typeof value === 'string' ? field.words?.[value] : undefined;
  if (word !== undefined) return word;
  const number = value === '' ? 0 : typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
    return context.fail(`must be a whole number, not ${show(value)}`);
  }
  if (field.min !== undefined && number < field.min) context.fail(`must not be below ${field.min}`);
  if (field.max !== undefined && number > field.max) context.fail(`must not be above ${field.max}`);
  return number;
}

function readDuration(_field: DurationField, value: unknown, context: LeafContext): number {
  if (value === '') return 0;
  if (typeof value === 'number' && Number.isFinite(value)) {
    if (value !== 0) context.warn(`is the bare number ${value}, read as nanoseconds; write a unit, such as "25s"`);
    return value / 1e6;
  }
  const duration = typeof value === 'string' ? parseDuration(value) : undefined;
  return duration ?? context.fail(`must be a duration with a unit, such as "25s", not ${show(value)}`);
}

function readList(field: ListField, value: unknown, outer: boolean, context: LeafContext): readonly string[] {
  const raw = typeof value === 'string' && outer ? value.split(/\s+/) : Array.isArray(value) ? value : [value];
  const elements = raw.map(
    (item: unknown) => scalar(item) ?? context.fail(`must be a list of text; it holds ${kindOf(item)}`),
  );
  const parts = field.splitsCommas === true ? elements.flatMap((item) => item.split(',')) : elements;
  const list = parts.map((item) => item.trim()).filter((item) => item !== '');
  for (const item of list) {
    if (field.oneOf !== undefined && !field.oneOf.includes(item)) {
      context.fail(`has the unknown value ${show(item)}; known are ${words(field.oneOf)}`);
    }
  }
  return list;
}

/** compat: JSON as text is taken from files too. */
function readMap(value: unknown, context: LeafContext): StringMap {
  const parsed = typeof value === 'string' ? parseJson(value, context) : value;
  const entries = Array.isArray(parsed)
    ? parsed.map((item: unknown) => pair(item, context))
    : isRawObject(parsed)
      ? Object.entries(parsed)
      : context.fail(`must be an object or a list of {key, value}, not ${kindOf(parsed)}`);
  const result = entries.map(([key, item]): [string, string] => {
    const text = scalar(item) ?? context.fail(`must hold text at ${show(key)}, not ${kindOf(item)}`);
    return [key, expand(text, context)];
  });
  return Object.fromEntries(result);
}

function pair(item: unknown, context: LeafContext): [string, unknown] {
  const group: RawObject = isRawObject(item) ? item : {};
  const key = scalar(group['key']);
  if (key === undefined) return context.fail(`must be an object or a list of {key, value}; it holds ${kindOf(item)}`);
  return [key, group['value'] ?? ''];
}

function expand(text: string, context: LeafContext): string {
  return text.replaceAll(
    VARIABLE,
    (_match, name: string) => context.variable(name) ?? context.fail(`refers to ${name}, which is not set`),
  );
}

/** JSON as text. */
export function parseJson(text: string, context: Pick<LeafContext, 'fail'>): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    return context.fail(`must be JSON: ${parseReason(error)}`);
  }
}

function scalar(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? String(value)
    : undefined;
}

function words(values: readonly string[]): string {
  return values.filter((value) => value !== '').join(', ');
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Names the type only: the value may be a secret. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
