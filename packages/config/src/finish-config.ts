/** The last steps of loading: values that depend on other values, PEM files, rules, and what to say about them. */

import { checkConfig } from './check/check-config.ts';
import { notBuiltYetIn } from './check/not-built-yet.ts';
import { type Config, optionTable } from './config.ts';
import type { BuildContext } from './read/build-config.ts';
import { ConfigError } from './read/config-error.ts';
import { type BuiltGroup, resolvePemValues } from './read/resolve-pem.ts';

export interface FinishContext extends Pick<BuildContext, 'given' | 'locate'> {
  readonly readFile: (path: string) => string;
  readonly warn: (message: string) => void;
}

const LOG_LEVELS: ReadonlySet<string> = new Set(['none', 'trace', 'debug', 'info', 'warn', 'error', 'fatal']);

/** The configuration out of what the table built. Throws `ConfigError` with all complaints of the rules. */
export function finishConfig(built: BuiltGroup, context: FinishContext): Config {
  resolvePemValues(optionTable, built, '', context.readFile);
  // The compiler checks the table against `Config`, and the builder makes exactly what the table says.
  const config = withDerivedValues(built as unknown as Config, context.warn);
  const complaints = [...checkConfig(config, context.given)];
  if (complaints.length > 0) {
    const located = complaints.map((text) => `${context.locate(text.split(' ', 1)[0] ?? '')}: ${text}`);
    throw new ConfigError('validate', located.join('; '));
  }
  const idle = notBuiltYetIn(optionTable, config);
  if (idle.length > 0) context.warn(`options that have no effect yet: ${idle.join(', ')}`);
  return config;
}

function withDerivedValues(config: Config, warn: (message: string) => void): Config {
  const level = config.log.level.toLowerCase();
  const isKnownLevel = LOG_LEVELS.has(level);
  if (!isKnownLevel) warn(`log.level ${JSON.stringify(config.log.level)} is unknown, using info`);
  const { broker, nats } = config;
  const usesBrokerUrl = nats.url.length === 0 && broker.enabled && broker.type === 'nats';
  if (usesBrokerUrl) warn('broker.type nats: broker.nats.url is used as nats.url; the servers need JetStream');
  return {
    ...config,
    log: { ...config.log, level: isKnownLevel ? level : 'info' },
    nats: usesBrokerUrl ? { ...nats, url: broker.nats.url } : nats,
  };
}
