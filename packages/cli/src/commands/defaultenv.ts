import { defaultEnv } from '@carillon/config';
import type { CommandIo } from '../command-io.ts';
import { reasonOf } from '../load-command-config.ts';
import { baseConfig } from './defaultconfig.ts';

export interface DefaultEnvCommandOptions {
  /** File whose values stand in place of defaults. */
  readonly base?: string | undefined;
  /** Only options that are not at their zero value. */
  readonly baseNonZeroOnly?: boolean | undefined;
}

/** `defaultenv`: every option as an environment variable (tokens.md 13). */
export async function defaultEnvCommand(options: DefaultEnvCommandOptions, io: CommandIo): Promise<number> {
  try {
    io.stdout.write(defaultEnv(baseConfig(options.base, io), { nonZeroOnly: options.baseNonZeroOnly }));
    return 0;
  } catch (error) {
    io.stdout.write(`error: ${reasonOf(error)}\n`);
    return 1;
  }
}
