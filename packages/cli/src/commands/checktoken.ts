import type { CommandIo, ConfigOption } from '../command-io.ts';
import { checkToken } from './check-token.ts';

/** `checktoken`: says whose a connection token is, or why it is not good (tokens.md 13). */
export function checkTokenCommand(tokens: readonly string[], options: ConfigOption, io: CommandIo): Promise<number> {
  return checkToken({
    command: 'checktoken',
    kind: 'connection',
    tokens,
    options,
    io,
    describe: async (verifier, token) => {
      const { user } = await verifier.verifyConnectToken(token);
      return `valid token for ${user === '' ? 'anonymous user' : `user ${user}`}`;
    },
  });
}
