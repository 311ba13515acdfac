import type { CommandIo, ConfigOption } from '../command-io.ts';
import { loadCommandConfig, reasonOf } from '../load-command-config.ts';
import { signToken, tokenTitle } from './sign-token.ts';

export interface GenTokenOptions extends ConfigOption {
  readonly user: string;
  /** Seconds. */
  readonly ttl: number;
  /** Print the token only. */
  readonly quiet?: boolean | undefined;
}

/** `gentoken`: a connection token for development (tokens.md 13). */
export async function genTokenCommand(options: GenTokenOptions, io: CommandIo): Promise<number> {
  try {
    const { config } = loadCommandConfig(options, io);
    const request = { user: options.user, ttlSeconds: options.ttl, nowMs: io.now() };
    const token = await signToken(request, config.client.token);
    io.stdout.write(options.quiet === true ? token : `${tokenTitle(request)}\n${token}\n`);
    return 0;
  } catch (error) {
    io.stdout.write(`error: ${reasonOf(error)}\n`);
    return 1;
  }
}
