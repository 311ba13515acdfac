import type { CommandIo } from '../command-io.ts';
import { loadCommandConfig, reasonOf } from '../load-command-config.ts';
import type { GenTokenOptions } from './gentoken.ts';
import { signToken, tokenTitle } from './sign-token.ts';

export interface GenSubTokenOptions extends GenTokenOptions {
  readonly channel: string;
}

/** `gensubtoken`: a subscription token for development (tokens.md 13). */
export async function genSubTokenCommand(options: GenSubTokenOptions, io: CommandIo): Promise<number> {
  if (options.channel === '') {
    io.stdout.write('channel is required\n');
    return 1;
  }
  try {
    const { client } = loadCommandConfig(options, io).config;
    const keys = client.subscriptionToken.enabled ? client.subscriptionToken : client.token;
    const request = { user: options.user, ttlSeconds: options.ttl, channel: options.channel, nowMs: io.now() };
    const token = await signToken(request, keys);
    io.stdout.write(options.quiet === true ? token : `${tokenTitle(request)}\n${token}\n`);
    return 0;
  } catch (error) {
    io.stdout.write(`error: ${reasonOf(error)}\n`);
    return 1;
  }
}
