/** The one file that spells environment names. */

import { type Field, fileKey, type FieldTable, type ItemsField, type LeafField } from '../option/field.ts';

/** Prefixes in order of strength, the weakest first. */
export const ENV_PREFIXES: readonly string[] = ['CENTRIFUGO_', 'CARILLON_'];

/** A leaf or list of items with its name (without prefix) and file path. */
export interface EnvOption {
  readonly name: string;
  readonly path: readonly string[];
  readonly field: LeafField | ItemsField;
}

/** Part of a name: upper case, with `_` for everything else. */
export function envPart(text: string): string {
  return text.toUpperCase().replaceAll(/[.-]/g, '_');
}

/** Every option a variable can set, in table order. */
export function envOptions(fields: FieldTable, path: readonly string[] = []): EnvOption[] {
  return Object.entries(fields).flatMap(([name, field]) => optionsOf(field, [...path, fileKey(name, field)]));
}

function optionsOf(field: Field, path: readonly string[]): EnvOption[] {
  if (field.kind === 'group') return envOptions(field.fields, path);
  return [{ name: path.map(envPart).join('_'), path, field }];
}

/** Variables that Kubernetes makes for a service called like the prefix, and those that only hold values to refer to. */
export function isForeignName(bare: string): boolean {
  return bare.startsWith('VAR_') || /(?:^|_)(?:PORT|SERVICE)/.test(bare);
}
