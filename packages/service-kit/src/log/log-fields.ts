/** Makes log fields safe to write: secrets are replaced, errors become plain objects, depth and size are bounded. */
export type LogFields = Readonly<Record<string, unknown>>;

const REDACTED = '[redacted]';
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const SECRET_NAME =
  /(^|_)(token|secret|password|passwd|authorization|cookie|credentials?)$|secret_key$|private_key|api_key|^key$/;

/** Whether a field of this name holds a secret: `apiKey`, `token`, `hmac_secret_key`, `Authorization`, … */
export function isSecretName(name: string): boolean {
  const snake = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll('-', '_');
  return SECRET_NAME.test(snake.toLowerCase());
}

/** Names that the line itself uses; a field of such a name gets a `_` behind it. */
const LINE_NAMES: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

export function safeFields(fields: LogFields): Record<string, unknown> {
  const safe = safeObject(fields, 0);
  const clash = Object.keys(safe).some((name) => LINE_NAMES.has(name));
  if (!clash) return safe;
  return Object.fromEntries(
    Object.entries(safe).map(([name, item]) => [LINE_NAMES.has(name) ? `${name}_` : name, item]),
  );
}

function safeObject(value: object, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value).slice(0, MAX_ITEMS)) {
    const isHidden = isSecretName(name) && item !== undefined && item !== '';
    safe[name] = isHidden ? REDACTED : safeValue(item, depth + 1);
  }
  return safe;
}

function safeValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return safeError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => safeValue(item, depth + 1));
  return safeObject(value, depth);
}

function safeError(error: Error, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = { type: error.name, message: error.message };
  if ('code' in error && error.code !== undefined) safe['code'] = safeValue(error.code, depth + 1);
  if (error.stack !== undefined) safe['stack'] = error.stack;
  if (error.cause !== undefined && depth < MAX_DEPTH) safe['cause'] = safeValue(error.cause, depth + 1);
  return safe;
}
