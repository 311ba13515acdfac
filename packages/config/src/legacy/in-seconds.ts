import { OuterText } from '../read/raw-value.ts';

/** compat: bare numbers under flat names are seconds. Other values are left as they are. */
export function inSeconds(value: unknown): unknown {
  if (typeof value === 'number') return `${value}s`;
  if (typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value)) return `${value}s`;
  if (value instanceof OuterText && /^-?\d+(?:\.\d+)?$/.test(value.text)) {
    return new OuterText(value.name, `${value.text}s`);
  }
  return value;
}
