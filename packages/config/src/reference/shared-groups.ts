import { type Field, fileKey, type FieldTable } from '../option/field.ts';

/** The groups that occur in several places of the table, each with a name, so that references tell them once. */
export function sharedGroups(table: FieldTable): ReadonlyMap<FieldTable, string> {
  const seen = new Map<FieldTable, string>();
  const shared = new Map<FieldTable, string>();
  const visit = (key: string, field: Field): void => {
    if (field.kind !== 'group' && field.kind !== 'items') return;
    const first = seen.get(field.fields);
    if (first === undefined) {
      seen.set(field.fields, key);
      for (const [name, inner] of Object.entries(field.fields)) visit(fileKey(name, inner), inner);
    } else if (!shared.has(field.fields)) shared.set(field.fields, unusedName(NAMES[first] ?? first, shared));
  };
  for (const [name, field] of Object.entries(table)) visit(fileKey(name, field), field);
  return shared;
}

/** The key of the first occurrence names a shared group, but where a better word exists. */
const NAMES: Readonly<Record<string, string>> = { subscribe: 'proxy', redis: 'redis_broker' };

function unusedName(name: string, shared: ReadonlyMap<FieldTable, string>): string {
  const taken = new Set(shared.values());
  let candidate = name;
  for (let count = 2; taken.has(candidate); count++) candidate = `${name}_${count}`;
  return candidate;
}
