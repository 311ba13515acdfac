import { type Field, fileKey, type FieldTable, isLeaf } from '../option/field.ts';
import { formatGoDuration } from '../read/go-duration.ts';

/** The configuration as a file would spell it: file keys, durations as Go text. `path` leads to each value. */
export function toFileValues(fields: FieldTable, values: object): Record<string, unknown> {
  const entries = new Map<string, unknown>(Object.entries(values));
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    result[fileKey(name, field)] = toFileValue(field, entries.get(name));
  }
  return result;
}

function toFileValue(field: Field, value: unknown): unknown {
  if (isLeaf(field)) return field.kind === 'duration' && typeof value === 'number' ? formatGoDuration(value) : value;
  if (field.kind === 'items') {
    const items = Array.isArray(value) ? value : [];
    return items.map((item: unknown) => toFileValues(field.fields, isObject(item) ? item : {}));
  }
  return toFileValues(field.fields, isObject(value) ? value : {});
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
