import type { FieldTable } from '../option/field.ts';
import { itemsOfText, namedItemsOfText } from './build-config.ts';
import { ENV_PREFIXES, envOptions, envPart, isForeignName } from './env-names.ts';
import { getRaw, isRawObject, OuterText, type RawObject, setRaw } from './raw-value.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Variables of the environment by meaning. */
export interface EnvLayer {
  /** Options under their v6 names. */
  readonly tree: RawObject;
  /** Lists that were given by names alone: these items come behind those of the file. */
  readonly added: readonly AddedItems[];
  /** Options under older flat names, by that name. */
  readonly flat: RawObject;
  /** Variables with our prefixes that are no option of the file; fields of named items are among them. */
  readonly rest: Map<string, OuterText>;
}

interface AddedItems {
  readonly path: readonly string[];
  readonly items: readonly RawObject[];
}

/** Sorts the variables with our prefixes; an empty one counts as not set. `isFlatName` knows the older names. */
export function readEnv(fields: FieldTable, env: Env, isFlatName: (name: string) => boolean): EnvLayer {
  const options = new Map(envOptions(fields).map((option) => [option.name, option]));
  const added: AddedItems[] = [];
  const layer: EnvLayer = { tree: {}, added, flat: {}, rest: new Map() };
  for (const prefix of ENV_PREFIXES) {
    for (const [name, text] of Object.entries(env)) {
      if (!name.startsWith(prefix) || text === undefined || text === '') continue;
      const bare = name.slice(prefix.length);
      const outer = new OuterText(name, text);
      const option = options.get(bare);
      const named = option?.field.kind === 'items' ? namedItemsOfText(outer) : undefined;
      if (option !== undefined && named !== undefined) added.push({ path: option.path, items: named });
      else if (option !== undefined) {
        setRaw(layer.tree, option.path, option.field.kind === 'items' ? itemsOfText(outer) : outer);
      } else if (isFlatName(bare.toLowerCase()) && !isServiceAddress(bare, text)) {
        layer.flat[bare.toLowerCase()] = outer;
      } else layer.rest.set(bare, outer);
    }
  }
  return layer;
}

/** Puts named items behind those that are there. */
export function addNamedItems(tree: RawObject, added: readonly AddedItems[]): void {
  for (const { path, items } of added) {
    const list = getRaw(tree, path);
    setRaw(tree, path, [...(Array.isArray(list) ? list : []), ...items]);
  }
}

/** Kubernetes sets `CENTRIFUGO_PORT=tcp://…` for a service of that name: not the older option `port`. */
function isServiceAddress(bare: string, text: string): boolean {
  return bare === 'PORT' && /^\w+:\/\//.test(text);
}

/** Applies variables for one field of a named item (`…_CHANNEL_NAMESPACES_CHAT_PRESENCE`); the item must exist. */
export function applyItemVariables(fields: FieldTable, tree: RawObject, rest: Map<string, OuterText>): void {
  for (const { name, path, field } of envOptions(fields)) {
    const list = field.kind === 'items' && field.named ? getRaw(tree, path) : undefined;
    if (field.kind !== 'items' || !Array.isArray(list)) continue;
    const options = envOptions(field.fields);
    for (const item of list.filter(isRawObject)) {
      if (typeof item['name'] !== 'string') continue;
      const prefix = `${name}_${envPart(item['name'])}_`;
      for (const option of options) {
        const outer = rest.get(prefix + option.name);
        if (outer === undefined) continue;
        setRaw(item, option.path, option.field.kind === 'items' ? itemsOfText(outer) : outer);
      }
      for (const option of options) rest.delete(prefix + option.name);
    }
  }
}

/** Names of variables that mean nothing to us. */
export function unknownVariables(rest: ReadonlyMap<string, OuterText>): string[] {
  return [...rest].filter(([bare]) => !isForeignName(bare)).map(([, outer]) => outer.name);
}
