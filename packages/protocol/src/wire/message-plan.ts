import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';

// What the readers and writers need to know of a message, taken from its descriptor once at start.

export type ValueKind =
  | 'bool'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'sint64'
  | 'double'
  | 'string'
  | 'bytes'
  | 'message';

export type Cardinality = 'single' | 'list' | 'map';

/** A decoded or to-be-encoded message as the generic code sees it. */
export type Fields = Record<string, unknown>;

export interface FieldPlan {
  /** Name in TypeScript. */
  readonly name: string;
  /** Name on the JSON wire. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  /** `"key":` */
  readonly keyText: string;
  readonly number: number;
  readonly cardinality: Cardinality;
  /** Kind of the value, of the elements of a list, or of the values of a map (whose keys are strings). */
  readonly kind: ValueKind;
  /** Set exactly when the kind is `message`. */
  readonly message: MessagePlan | undefined;
  /** Written to JSON even when it is zero. */
  readonly isAlwaysPresent: boolean;
  /** An integer that is a bigint where a number cannot hold it (see Wire). */
  readonly isExact: boolean;
}

export interface MessagePlan {
  readonly typeName: string;
  readonly fields: readonly FieldPlan[];
  readonly byKey: ReadonlyMap<string, FieldPlan>;
  /** Keys in lower case, for readers that ignore case. */
  readonly byFoldedKey: ReadonlyMap<string, FieldPlan>;
  readonly byNumber: ReadonlyMap<number, FieldPlan>;
  /** Every field set to undefined: spreading it gives all messages of a type one shape. */
  readonly blank: Readonly<Fields>;
}

/** JSON names of fields that are written even when zero, by full name of the message. */
export type AlwaysPresent = Readonly<Record<string, readonly string[]>>;

/**
 * Messages nested deeper than this are refused: the readers recurse once per level, and the only recursive message, a
 * tags filter, has a lower limit of its own.
 */
export const MAX_MESSAGE_DEPTH = 100;

const KINDS: ReadonlyMap<ScalarType, ValueKind> = new Map([
  [ScalarType.BOOL, 'bool'],
  [ScalarType.INT32, 'int32'],
  [ScalarType.UINT32, 'uint32'],
  [ScalarType.INT64, 'int64'],
  [ScalarType.UINT64, 'uint64'],
  [ScalarType.SINT64, 'sint64'],
  [ScalarType.DOUBLE, 'double'],
  [ScalarType.STRING, 'string'],
  [ScalarType.BYTES, 'bytes'],
]);

/** Mutable only while the graph is built, so that recursive messages can point at themselves. */
interface PlanInProgress extends MessagePlan {
  readonly fields: FieldPlan[];
  readonly byKey: Map<string, FieldPlan>;
  readonly byFoldedKey: Map<string, FieldPlan>;
  readonly byNumber: Map<number, FieldPlan>;
  readonly blank: Fields;
}

export interface PlanOptions {
  readonly alwaysPresent?: AlwaysPresent | undefined;
  /** Names of fields of the message itself that the plan leaves out. */
  readonly without?: readonly string[] | undefined;
}

/** Plans a message and all it contains. Throws on what our schemas do not use (enumerations, oneof groups, …). */
export function planMessage(desc: DescMessage, { alwaysPresent = {}, without = [] }: PlanOptions = {}): MessagePlan {
  const whole = plan(desc, alwaysPresent, new Map());
  return without.length === 0 ? whole : reduced(whole, without);
}

function reduced(whole: MessagePlan, without: readonly string[]): MessagePlan {
  const fields = whole.fields.filter(({ key }) => !without.includes(key));
  return {
    ...whole,
    fields,
    byKey: new Map(fields.map((field) => [field.key, field])),
    byFoldedKey: new Map(fields.map((field) => [field.key.toLowerCase(), field])),
    byNumber: new Map(fields.map((field) => [field.number, field])),
  };
}

function plan(desc: DescMessage, alwaysPresent: AlwaysPresent, planned: Map<string, MessagePlan>): MessagePlan {
  const known = planned.get(desc.typeName);
  if (known !== undefined) return known;
  const message: PlanInProgress = {
    typeName: desc.typeName,
    fields: [],
    byKey: new Map(),
    byFoldedKey: new Map(),
    byNumber: new Map(),
    blank: {},
  };
  planned.set(desc.typeName, message);
  const present = alwaysPresent[desc.typeName] ?? [];
  for (const field of desc.fields) {
    const { cardinality, kind, child } = describe(field);
    const fieldPlan: FieldPlan = {
      name: field.localName,
      key: field.name,
      keyBytes: Buffer.from(field.name),
      keyText: `"${field.name}":`,
      number: field.number,
      cardinality,
      kind,
      message: child === undefined ? undefined : plan(child, alwaysPresent, planned),
      isAlwaysPresent: present.includes(field.name),
      isExact: kind === 'uint64' && field.name === 'version',
    };
    message.fields.push(fieldPlan);
    message.byKey.set(field.name, fieldPlan);
    message.byFoldedKey.set(field.name.toLowerCase(), fieldPlan);
    message.byNumber.set(field.number, fieldPlan);
    message.blank[field.localName] = undefined;
  }
  return message;
}

interface FieldShape {
  readonly cardinality: Cardinality;
  readonly kind: ValueKind;
  readonly child: DescMessage | undefined;
}

function describe(field: DescField): FieldShape {
  if (field.fieldKind === 'message') return { cardinality: 'single', kind: 'message', child: field.message };
  if (field.fieldKind === 'scalar') return { cardinality: 'single', kind: kindOf(field.scalar), child: undefined };
  if (field.fieldKind === 'list' && field.listKind === 'message') {
    return { cardinality: 'list', kind: 'message', child: field.message };
  }
  // A list of numbers would need the packed form, which nothing of ours has.
  if (field.fieldKind === 'list' && field.scalar === ScalarType.STRING) {
    return { cardinality: 'list', kind: 'string', child: undefined };
  }
  if (field.fieldKind === 'map' && field.mapKey === ScalarType.STRING) {
    if (field.mapKind === 'message') return { cardinality: 'map', kind: 'message', child: field.message };
    if (field.mapKind === 'scalar') return { cardinality: 'map', kind: kindOf(field.scalar), child: undefined };
  }
  throw new TypeError(`${field.parent.typeName}.${field.name}: this kind of field has no codec`);
}

function kindOf(scalar: ScalarType): ValueKind {
  const kind = KINDS.get(scalar);
  if (kind === undefined) throw new TypeError(`scalar type ${ScalarType[scalar]} has no codec`);
  return kind;
}

/** What an always-present field, a list element or a map value holds when it is zero. */
export function zeroOf(kind: ValueKind): unknown {
  if (kind === 'string') return '';
  if (kind === 'bool') return false;
  if (kind === 'bytes') return new Uint8Array(0);
  if (kind === 'message') return NULL_MESSAGE;
  return 0;
}

/**
 * What a JSON `null` becomes where a message cannot be absent: as an element of a list or a value of a map. It reads like
 * an empty message; whoever must tell the two apart (batch commands, server-api.md §7.13) compares by identity.
 */
export const NULL_MESSAGE: Readonly<Record<string, never>> = Object.freeze({});
