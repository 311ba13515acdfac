/**
 * The option table's building blocks. Every option of the server is one `Field` in a table keyed by its camelCase name;
 * file key, environment name, default, JSON Schema and reference text are all derived from it.
 */

/** String to string, as written in the file: header names, subject replacements. */
export type StringMap = Readonly<Record<string, string>>;

interface Described {
  readonly doc: string;
}
export interface StringField extends Described {
  readonly kind: 'string';
  readonly default: string;
  /** Legal values; anything else is refused. */
  readonly oneOf?: readonly string[] | undefined;
  /** A PEM value: text, base64 of text, or a file path. */
  readonly pem?: boolean | undefined;
}
export interface BoolField extends Described {
  readonly kind: 'bool';
  readonly default: boolean;
}
export interface IntField extends Described {
  readonly kind: 'int';
  readonly default: number;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Words that stand for a number, such as `auto`. */
  readonly words?: Readonly<Record<string, number>> | undefined;
  /** compat: zero from the environment stays zero for this one option. */
  readonly keepsZeroFromEnv?: boolean | undefined;
}
export interface DurationField extends Described {
  readonly kind: 'duration';
  /** Milliseconds. */
  readonly default: number;
}
export interface ListField extends Described {
  readonly kind: 'list';
  readonly default: readonly string[];
  /** Legal elements. */
  readonly oneOf?: readonly string[] | undefined;
  /** Elements may also be joined with commas. */
  readonly splitsCommas?: boolean | undefined;
}
export interface MapField extends Described {
  readonly kind: 'map';
  readonly default: StringMap;
}
export interface GroupField<Fields = FieldTable> extends Described {
  readonly kind: 'group';
  readonly fields: Fields;
  /** Marks the TLS object, whose PEM values are resolved when it is enabled. */
  readonly tls?: boolean | undefined;
}
export interface ItemsField<Fields = FieldTable> extends Described {
  readonly kind: 'items';
  readonly fields: Fields;
  /** Items carry a `name` by which environment variables address them. */
  readonly named: boolean;
}

export type LeafField = StringField | BoolField | IntField | DurationField | ListField | MapField;
export type Field = LeafField | GroupField | ItemsField;
/** Fields by camelCase name, in reference order. */
export type FieldTable = { readonly [name: string]: Field };

/** The table that describes exactly the options of `T`. */
export type FieldsOf<T> = { readonly [K in keyof T]-?: FieldOf<Exclude<T[K], undefined>> };
/** `unknown` marks options that are accepted although no part of the server reads them: any field will do. */
type FieldOf<T> = unknown extends T
  ? Field
  : [T] extends [boolean]
    ? BoolField
    : [T] extends [number]
      ? IntField | DurationField
      : [T] extends [string]
        ? StringField
        : [T] extends [readonly string[]]
          ? ListField
          : [T] extends [StringMap]
            ? MapField
            : [T] extends [readonly (infer Item)[]]
              ? ItemsField<FieldsOf<Item>>
              : GroupField<FieldsOf<T>>;

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration literal of the tables (`'25s'`), in milliseconds. */
function ms(text: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  const scale = MS_PER_UNIT[unit ?? ''];
  if (amount === undefined || scale === undefined) throw new TypeError(`bad duration literal ${text}`);
  return Number(amount) * scale;
}

export const text = (doc: string, fallback = '', extra: Partial<StringField> = {}): StringField => ({
  kind: 'string',
  doc,
  default: fallback,
  ...extra,
});
export const oneOf = (doc: string, fallback: string, values: readonly string[]): StringField =>
  text(doc, fallback, { oneOf: values });
export const pem = (doc: string): StringField => text(doc, '', { pem: true });
export const bool = (doc: string, fallback = false): BoolField => ({ kind: 'bool', doc, default: fallback });
export const int = (doc: string, fallback = 0, extra: Partial<IntField> = {}): IntField => ({
  kind: 'int',
  doc,
  default: fallback,
  ...extra,
});
export const port = (doc: string, fallback = 0): IntField => int(doc, fallback, { min: 0, max: 65_535 });
export const duration = (doc: string, fallback = '0s'): DurationField => ({
  kind: 'duration',
  doc,
  default: ms(fallback),
});
export const list = (doc: string, fallback: readonly string[] = [], extra: Partial<ListField> = {}): ListField => ({
  kind: 'list',
  doc,
  default: fallback,
  ...extra,
});
export const map = (doc: string): MapField => ({ kind: 'map', doc, default: {} });
export function group<Fields>(doc: string, fields: Fields): GroupField<Fields> {
  return { kind: 'group', doc, fields };
}
export function items<Fields>(doc: string, fields: Fields): ItemsField<Fields> {
  return { kind: 'items', doc, fields, named: false };
}
export function namedItems<Fields>(doc: string, fields: Fields): ItemsField<Fields> {
  return { kind: 'items', doc, fields, named: true };
}

/** The key of an option in files: `pingIntervalMs` (a duration) is `ping_interval`. */
export function fileKey(name: string, field: Field): string {
  const bare = field.kind === 'duration' ? name.replace(/Ms$/, '') : name;
  return bare.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Whether the field holds other fields. */
export function isLeaf(field: Field): field is LeafField {
  return field.kind !== 'group' && field.kind !== 'items';
}
