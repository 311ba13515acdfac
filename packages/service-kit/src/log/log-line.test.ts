import { describe, expect, it } from 'vitest';

import { formatLogLine } from './log-line.ts';

const time = new Date(2025, 0, 2, 3, 4, 5, 67).toISOString();

describe('formatLogLine', () => {
  it('shows time of day, level, message and fields on one line', () => {
    const line = JSON.stringify({
      level: 'warn',
      time,
      msg: 'slow client',
      client: 'c1',
      reason: 'too slow',
      n: 3,
      o: { a: 1 },
    });
    expect(formatLogLine(line, false)).toBe(
      '03:04:05.067 WARN  slow client  client=c1 reason="too slow" n=3 o={"a":1}\n',
    );
  });

  it('puts the stack of an error on lines of its own', () => {
    const error = { message: 'bad', stack: 'Error: bad\n    at here' };
    expect(formatLogLine(JSON.stringify({ level: 'error', time, msg: 'failed', error }), false)).toBe(
      '03:04:05.067 ERROR failed  error=bad\n    Error: bad\n        at here\n',
    );
  });

  it('paints the level only when told to', () => {
    const line = JSON.stringify({ level: 'info', time, msg: 'ready' });
    expect(formatLogLine(line, true)).toContain('\u001B[32mINFO \u001B[0m');
    expect(formatLogLine(line, false)).not.toContain('\u001B');
  });
});
