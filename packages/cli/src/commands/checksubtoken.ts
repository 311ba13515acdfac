import type { CommandIo, ConfigOption } from '../command-io.ts';
import { checkToken } from './check-token.ts';

/** `checksubtoken`: says whose a subscription token is and of which channel, or why it is not good (tokens.md 13). */
export function checkSubTokenCommand(tokens: readonly string[], options: ConfigOption, io: CommandIo): Promise<number> {
  return checkToken({
    command: 'checksubtoken',
    kind: 'subscription',
    tokens,
    options,
    io,
    describe: async (verifier, token) => {
      const { user, channel } = await verifier.verifySubscribeToken(token);
      const whose = user === '' ? 'anonymous user' : `user "${user}"`;
      return `valid subscription token for ${whose} and channel "${channel}"`;
    },
  });
}
