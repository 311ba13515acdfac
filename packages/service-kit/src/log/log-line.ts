/** Turns one JSON log line into what a person reads on a terminal: `12:00:01.234 INFO  message  key=value`. */
const COLORS: Readonly<Record<string, string>> = {
  trace: '\u001B[90m',
  debug: '\u001B[36m',
  info: '\u001B[32m',
  warn: '\u001B[33m',
  error: '\u001B[31m',
  fatal: '\u001B[35m',
};
const DIM = '\u001B[2m';
const RESET = '\u001B[0m';

export function formatLogLine(line: string, useColor: boolean): string {
  const { level, time, msg, ...fields } = parse(line);
  const name = typeof level === 'string' ? level : 'info';
  const paint = (code: string | undefined, text: string): string => (useColor && code ? code + text + RESET : text);
  const head = `${paint(DIM, timeOfDay(time))} ${paint(COLORS[name], name.toUpperCase().padEnd(5))} ${typeof msg === 'string' ? msg : ''}`;
  const stacks: string[] = [];
  const pairs = Object.entries(fields).map(([key, value]) => {
    if (isErrorLike(value)) stacks.push(value.stack);
    return paint(DIM, `${key}=`) + text(isErrorLike(value) ? value.message : value);
  });
  const tail = stacks.map((stack) => `\n${paint(DIM, stack.replaceAll(/^/gm, '    '))}`).join('');
  return `${head}${pairs.length > 0 ? `  ${pairs.join(' ')}` : ''}${tail}\n`;
}

function parse(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  return typeof value === 'object' && value !== null ? { ...value } : { msg: line };
}

function isErrorLike(value: unknown): value is { message: string; stack: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'message' in value &&
    typeof value.message === 'string' &&
    'stack' in value &&
    typeof value.stack === 'string'
  );
}

function text(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? 'undefined';
}

function timeOfDay(time: unknown): string {
  const date = new Date(typeof time === 'number' || typeof time === 'string' ? time : 0);
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
