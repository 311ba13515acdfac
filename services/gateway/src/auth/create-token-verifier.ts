import type { Clock } from '@carillon/service-kit';
import type { KeySource } from './key-source.ts';
import type { TokenSettings } from './token-settings.ts';
import type { TokenVerifier } from './token-verifier.ts';
import { connectClaims, createVerifyToken, subscribeClaims, type IsKnownChannel } from './verify-token.ts';

export interface TokenVerifierOptions {
  readonly connection: TokenSettings;
  /** Undefined: connection settings serve both kinds (`client.subscription_token.enabled` is off). */
  readonly subscription: TokenSettings | undefined;
  /** Of the configuration that the settings are of. */
  readonly isKnownChannel: IsKnownChannel;
  readonly createKeys: (settings: TokenSettings) => Promise<KeySource>;
  readonly clock: Clock;
}

/** Verifies both kinds of tokens. Rejects when a configured key can't be used. */
export async function createTokenVerifier({
  connection,
  subscription,
  isKnownChannel,
  createKeys,
  clock,
}: TokenVerifierOptions): Promise<TokenVerifier> {
  const connectionKeys = await createKeys(connection);
  const verifyConnection = createVerifyToken({ settings: connection, keys: connectionKeys, clock });
  const forSubscriptions = subscription ?? connection;
  const verifySubscription =
    subscription === undefined
      ? verifyConnection
      : createVerifyToken({ settings: subscription, keys: await createKeys(subscription), clock });
  return {
    verifyConnectToken: async (token) =>
      connectClaims(await verifyConnection(token, 'connection'), {
        userIdClaim: connection.userIdClaim,
        isKnownChannel,
      }),
    verifySubscribeToken: async (token) =>
      subscribeClaims(await verifySubscription(token, 'subscription'), {
        userIdClaim: forSubscriptions.userIdClaim,
        isKnownChannel,
      }),
  };
}
