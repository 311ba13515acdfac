import { type Config, configFileText, defaultConfig } from '@carillon/config';
import type { CommandIo, ConfigOption } from '../command-io.ts';
import { loadCommandConfig, reasonOf } from '../load-command-config.ts';
import { formatOf, writeNewFile } from './write-new-file.ts';

export interface DefaultConfigOptions extends ConfigOption {
  /** File whose values stand in place of defaults. */
  readonly base?: string | undefined;
  /** Print instead of writing. */
  readonly dryRun?: boolean | undefined;
}

/** `defaultconfig`: every option with its default, in the format of the extension (tokens.md 13). */
export async function defaultConfigCommand(options: DefaultConfigOptions, io: CommandIo): Promise<number> {
  try {
    const text = configFileText(baseConfig(options.base, io), formatOf(options.config));
    if (options.dryRun === true) io.stdout.write(text);
    else writeNewFile(options.config, text, io.cwd);
    return 0;
  } catch (error) {
    io.stdout.write(`error: ${reasonOf(error)}\n`);
    return 1;
  }
}

/** Defaults, or those with the values of a base file. Throws if that file is missing. */
export function baseConfig(base: string | undefined, io: CommandIo): Config {
  if (base === undefined || base === '') return defaultConfig();
  const loaded = loadCommandConfig({ config: base }, { ...io, env: {} });
  if (!loaded.fileFound) throw new Error(`base config file ${base} not found`);
  return loaded.config;
}
