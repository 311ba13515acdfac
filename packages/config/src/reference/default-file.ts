import { stringify as stringifyToml } from 'smol-toml';
import { stringify as stringifyYaml } from 'yaml';
import { type Config, optionTable } from '../config.ts';
import { toFileValues } from './plain-value.ts';

/** Formats of configuration files, by extension. */
export type ConfigFormat = 'json' | 'yaml' | 'toml';

/** Every option of a configuration with its value, as text of a file. */
export function configFileText(config: Config, format: ConfigFormat): string {
  return formatConfigFile(toFileValues(optionTable, config), format);
}

/** The text of a file that holds these values. */
export function formatConfigFile(values: Record<string, unknown>, format: ConfigFormat): string {
  if (format === 'yaml') return stringifyYaml(values);
  if (format === 'toml') return `${stringifyToml(values).trimEnd()}\n`;
  return `${JSON.stringify(values, null, 2)}\n`;
}
