import type { Config } from '@carillon/config';
import {
  createJwksKeys,
  createStaticKeys,
  createTokenVerifier,
  parseToken,
  TokenError,
  type TokenParts,
  type TokenSettings,
  type TokenVerifier,
} from '@carillon/gateway/auth';
import { channelRules, tokenSettings } from '@carillon/gateway/config';
import type { TokenKind } from '@carillon/protocol/token';
import { createSilentLog, systemClock, type Clock } from '@carillon/service-kit';
import type { CommandIo, ConfigOption } from '../command-io.ts';
import { loadCommandConfig, reasonOf } from '../load-command-config.ts';

export interface TokenCheck {
  readonly command: string;
  readonly kind: TokenKind;
  /** What was given on the command line: exactly one is needed. */
  readonly tokens: readonly string[];
  readonly options: ConfigOption;
  readonly io: CommandIo;
  /** The first line about a good token; rejects with `TokenError`. */
  readonly describe: (verifier: TokenVerifier, token: string) => Promise<string>;
}

/** Verifies a token as a gateway would and prints the outcome; exit code 0 for a good one. */
export async function checkToken({ command, kind, tokens, options, io, describe }: TokenCheck): Promise<number> {
  const [token] = tokens;
  if (token === undefined || tokens.length > 1) {
    io.stdout.write(`error: provide token to check [carillon ${command} <TOKEN>]\n`);
    return 1;
  }
  try {
    const verifier = await verifierOf(loadCommandConfig(options, io).config, io);
    const parts = parseToken(token, kind);
    const title = await describe(verifier, token).catch((error: unknown) => {
      throw error instanceof TokenError ? new Error(complaintOf(parts, error)) : error;
    });
    io.stdout.write(`${title}\npayload: ${claimsOf(parts)}\n`);
    return 0;
  } catch (error) {
    io.stdout.write(`error: ${reasonOf(error)}\n`);
    return 1;
  }
}

/** Signatures are always verified, whatever insecure options say: that is what the command is for. */
function verifierOf(config: Config, io: CommandIo): Promise<TokenVerifier> {
  const { connection, subscription } = tokenSettings(config);
  const clock: Clock = {
    now: io.now,
    monotonic: () => systemClock.monotonic(),
    setTimer: (delayMs, fn) => systemClock.setTimer(delayMs, fn),
  };
  const log = createSilentLog();
  const channels = channelRules(config);
  const verified = (settings: TokenSettings): TokenSettings => ({ ...settings, skipSignatureVerify: false });
  return createTokenVerifier({
    connection: verified(connection),
    subscription: subscription === undefined ? undefined : verified(subscription),
    isKnownChannel: (channel) => channels.resolve(channel) !== undefined,
    clock,
    createKeys: async (settings) =>
      settings.jwksPublicEndpoint === ''
        ? createStaticKeys(settings, clock)
        : createJwksKeys({ endpoint: settings.jwksPublicEndpoint, clock, log }),
  });
}

function complaintOf(parts: TokenParts, error: TokenError): string {
  return `token with algorithm ${parts.header.alg} and claims ${claimsOf(parts)} has error: ${error.message}`;
}

function claimsOf({ payload }: TokenParts): string {
  return Buffer.from(payload).toString('utf8');
}
