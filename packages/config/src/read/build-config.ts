import { type Field, fileKey, type FieldTable, type ItemsField } from '../option/field.ts';
import { parseJson, readLeaf } from './coerce.ts';
import { ConfigError } from './config-error.ts';
import { isRawObject, lowerKeys, OuterText, type RawObject } from './raw-value.ts';

/** What the builder needs and what it reports to. */
export interface BuildContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warnings: string[];
  /** Dotted paths of file keys that no option has. */
  readonly unknownKeys: string[];
  /** Dotted paths of all leaves that were given a value. */
  readonly given: Set<string>;
  /** Where a key of the file is, for messages: `config.json:12`. */
  readonly locate: (path: string) => string;
}

type Built = { [name: string]: unknown };

/** The typed configuration of a raw tree: camelCase names, every default filled in. Throws `ConfigError`. */
export function buildGroup(fields: FieldTable, raw: unknown, path: string, context: BuildContext): Built {
  const source = asObject(raw, path, context);
  const left = new Set(Object.keys(source));
  const result: Built = {};
  for (const [name, field] of Object.entries(fields)) {
    const key = fileKey(name, field);
    left.delete(key);
    result[name] = buildField(field, source[key], join(path, key), context);
  }
  for (const key of left) context.unknownKeys.push(join(path, key));
  return result;
}

function buildField(field: Field, raw: unknown, path: string, context: BuildContext): unknown {
  if (field.kind === 'group') return buildGroup(field.fields, raw, path, context);
  if (field.kind === 'items') return buildItems(field, raw, path, context);
  if (raw === undefined || raw === null) return field.default;
  context.given.add(path);
  const place = (): string => placeOf(raw, path, context);
  return readLeaf(field, raw, {
    warn: (message) => context.warnings.push(`${place()}: ${path} ${message}`),
    fail: (message) => {
      throw new ConfigError('read', `${place()}: ${path} ${message}`);
    },
    variable: (name) => context.env[name],
  });
}

function buildItems(field: ItemsField, raw: unknown, path: string, context: BuildContext): unknown[] {
  if (raw === undefined || raw === null || raw === '') return [];
  if (!Array.isArray(raw)) throw new ConfigError('read', `${placeOf(raw, path, context)}: ${path} must be a list`);
  return raw.map((item: unknown, index) => buildGroup(field.fields, item, `${path}[${index}]`, context));
}

function asObject(raw: unknown, path: string, context: BuildContext): RawObject {
  if (raw === undefined || raw === null) return {};
  if (isRawObject(raw)) return raw;
  throw new ConfigError('read', `${placeOf(raw, path, context)}: ${path || 'the file'} must be a group of options`);
}

function placeOf(raw: unknown, path: string, context: BuildContext): string {
  return raw instanceof OuterText ? raw.name : context.locate(path);
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Items by names apart by spaces, which are empty otherwise; undefined where the text is JSON. */
export function namedItemsOfText({ text }: OuterText): RawObject[] | undefined {
  if (/^\s*[[{]/.test(text)) return undefined;
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((name) => ({ name }));
}

/** A list of items out of outer text: JSON, or names. */
export function itemsOfText(outer: OuterText): unknown[] {
  const named = namedItemsOfText(outer);
  if (named !== undefined) return named;
  const fail = (message: string): never => {
    throw new ConfigError('read', `${outer.name}: ${message}`);
  };
  const value = lowerKeys(parseJson(outer.text, { fail }), true);
  return Array.isArray(value) ? value : fail('must be a JSON list');
}
