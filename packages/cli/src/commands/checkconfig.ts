import { ConfigError } from '@carillon/config';
import type { CommandIo, ConfigOption } from '../command-io.ts';
import { loadCommandConfig, reasonOf } from '../load-command-config.ts';

export interface CheckConfigOptions extends ConfigOption {
  /** Unknown keys in the file are an error. */
  readonly strict?: boolean | undefined;
}

/** `checkconfig`: silent if the configuration is good (tokens.md 13). */
export async function checkConfigCommand(options: CheckConfigOptions, io: CommandIo): Promise<number> {
  try {
    const { fileFound, unknownKeys } = loadCommandConfig(options, io);
    if (!fileFound) io.stdout.write('config file not found\n');
    else if (options.strict === true && unknownKeys.length > 0) {
      io.stdout.write(`unknown keys in config: ${unknownKeys.join(', ')}\n`);
    } else return 0;
  } catch (error) {
    const isRule = error instanceof ConfigError && error.stage === 'validate';
    io.stdout.write(`error ${isRule ? 'validating' : 'getting'} config: ${reasonOf(error)}\n`);
  }
  return 1;
}
