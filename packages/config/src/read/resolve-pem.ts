import type { FieldTable } from '../option/field.ts';
import { ConfigError } from './config-error.ts';

/** A built group, before it is handed out. */
export type BuiltGroup = { [name: string]: unknown };

const MARKER = '-----BEGIN ';

/**
 * Turns the PEM values of every enabled TLS object into PEM text: text is tried first, then base64 of text, then a path.
 * Throws `ConfigError`.
 */
export function resolvePemValues(
  fields: FieldTable,
  built: BuiltGroup,
  path: string,
  readFile: (path: string) => string,
): void {
  for (const [name, field] of Object.entries(fields)) {
    const value = built[name];
    if (field.kind === 'string' && field.pem === true && typeof value === 'string' && value !== '') {
      if (built['enabled'] === true) built[name] = resolvePem(value, `${path}.${name}`, readFile);
    } else if (field.kind === 'group' && isGroup(value)) {
      resolvePemValues(field.fields, value, path === '' ? name : `${path}.${name}`, readFile);
    } else if (field.kind === 'items' && Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        if (isGroup(item)) resolvePemValues(field.fields, item, `${path}.${name}[${index}]`, readFile);
      }
    }
  }
}

function isGroup(value: unknown): value is BuiltGroup {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function resolvePem(value: string, path: string, readFile: (path: string) => string): string {
  if (value.includes(MARKER)) return value;
  const decoded = Buffer.from(value, 'base64').toString('latin1');
  if (decoded.includes(MARKER)) return decoded;
  const key = path.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  let text: string;
  try {
    text = readFile(value);
  } catch (error) {
    throw new ConfigError('validate', `${key} is neither PEM, nor base64 of PEM, nor a readable file`, {
      cause: error,
    });
  }
  if (!text.includes(MARKER)) throw new ConfigError('validate', `${key} names a file that holds no PEM`);
  return text;
}
