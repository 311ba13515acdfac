import { type Config, optionTable } from '../config.ts';
import { ENV_PREFIXES, envOptions, type EnvOption } from '../read/env-names.ts';
import { getRaw } from '../read/raw-value.ts';
import { toFileValues } from './plain-value.ts';

/** Which lines `defaultEnv` makes. */
export interface DefaultEnvOptions {
  /** Leave out options at their zero value. */
  readonly nonZeroOnly?: boolean | undefined;
}

/** Every option of a configuration as sorted `CENTRIFUGO_…=value` lines; texts are in double quotes. */
export function defaultEnv(config: Config, options: DefaultEnvOptions = {}): string {
  const values = toFileValues(optionTable, config);
  const lines = envOptions(optionTable).flatMap((option) => {
    const value = getRaw(values, option.path);
    return options.nonZeroOnly === true && isZero(value)
      ? []
      : [`${ENV_PREFIXES[0]}${option.name}=${show(option, value)}`];
  });
  return `${lines.sort().join('\n')}\n`;
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false || value === '0s' || value === undefined;
}

function show({ field }: EnvOption, value: unknown): string {
  if (field.kind === 'list' && Array.isArray(value)) return JSON.stringify(value.join(' '));
  if (field.kind === 'items' || field.kind === 'map') return JSON.stringify(JSON.stringify(value));
  return field.kind === 'string' ? JSON.stringify(value) : String(value);
}
