import { pino, type DestinationStream, type Logger } from 'pino';

import { systemClock, type Clock } from '../clock.ts';
import { safeFields, type LogFields } from './log-fields.ts';
import { parseLogLevel, type LogLevel } from './log-level.ts';
import { formatLogLine } from './log-line.ts';

type LogMethod = (message: string, fields?: LogFields) => void;

/**
 * Writes log lines. Fields whose names say that they hold a secret are redacted, errors keep code, stack and cause.
 * Never called on the hot path.
 */
export interface Log {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** Whether a line of this level would be written: for lines whose fields are dear to make. */
  isEnabled(level: Exclude<LogLevel, 'none'>): boolean;
  /** A log that adds the given fields to each of its lines. */
  child(fields: LogFields): Log;
}

export interface LogOptions {
  /** As configured (`log.level`); an unknown one means `info` and a warning. Default: `info`. */
  readonly level?: string | undefined;
  /** Appends JSON lines to this file instead of stderr (`log.file`). */
  readonly file?: string | undefined;
  /** In each line, such as the name of the service. */
  readonly fields?: LogFields | undefined;
  readonly clock?: Clock | undefined;
  /** Where lines go, JSON each; for tests. */
  readonly destination?: DestinationStream | undefined;
}

/** JSON lines on stderr, or for people when stderr is a terminal. Written at once, so that the last words are not lost. */
export function createLog(options: LogOptions = {}): Log {
  const { level = 'info', file, fields = {}, clock = systemClock } = options;
  const known = parseLogLevel(level);
  const logger = pino(
    {
      level: pinoLevel(known ?? 'info'),
      base: safeFields(fields),
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? openDestination(file),
  );
  const log = wrap(logger);
  if (known === undefined) log.warn('unknown log level, using info', { level });
  return log;
}

/** A log that drops everything; for tests and tools. */
export function createSilentLog(): Log {
  return createLog({ level: 'none', destination: { write: () => undefined } });
}

function openDestination(file: string | undefined): DestinationStream {
  if (file !== undefined && file !== '') return pino.destination({ dest: file, append: true, sync: true });
  if (!process.stderr.isTTY) return pino.destination({ dest: 2, sync: true });
  const useColor = process.env['NO_COLOR'] === undefined;
  return { write: (line) => void process.stderr.write(formatLogLine(line, useColor)) };
}

function pinoLevel(level: LogLevel): string {
  return level === 'none' ? 'silent' : level;
}

function wrap(logger: Logger): Log {
  const method = (level: Exclude<LogLevel, 'none'>): LogMethod => {
    return (message, fields) => {
      if (!logger.isLevelEnabled(level)) return;
      if (fields === undefined) logger[level](message);
      else logger[level](safeFields(fields), message);
    };
  };
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    isEnabled: (level) => logger.isLevelEnabled(level),
    child: (fields) => wrap(logger.child(safeFields(fields))),
  };
}
