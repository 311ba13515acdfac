import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type LoadedConfig, loadConfig } from '@carillon/config';
import type { CommandIo, ConfigOption } from './command-io.ts';

/** More than where the file is: strict mode and values of flags. */
export interface CommandConfigOptions extends ConfigOption {
  readonly flags?: Readonly<Record<string, string>> | undefined;
}

/** Loads the configuration as every command does: `.env` first, warnings on stderr. Throws `ConfigError`. */
export function loadCommandConfig(options: CommandConfigOptions, io: CommandIo): LoadedConfig {
  const loaded = loadConfig({
    path: options.config,
    env: io.env,
    envFile: '.env',
    readFile: (path) => readFileSync(resolve(io.cwd, path), 'utf8'),
    flags: options.flags,
  });
  for (const warning of loaded.warnings) io.stderr.write(`warning: ${warning}\n`);
  return loaded;
}

/** What to print of something thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
