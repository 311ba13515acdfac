import { bool, duration, type FieldsOf, group, type GroupField, int, items, list, text } from './field.ts';
import { rateLimit, type RateLimitConfig } from './rate-limit.ts';
import { switchedProxy, type SwitchedProxyConfig } from './proxy.ts';

/** Keys and rules for one kind of token (tokens.md 1). `hmacPreviousSecretKeyValidUntil` is Unix seconds, 0 = always. */
export interface TokenConfig {
  readonly hmacSecretKey: string;
  readonly hmacPreviousSecretKey: string;
  readonly hmacPreviousSecretKeyValidUntil: number;
  readonly rsaPublicKey: string;
  readonly ecdsaPublicKey: string;
  readonly jwksPublicEndpoint: string;
  readonly audience: string;
  readonly audienceRegex: string;
  readonly issuer: string;
  readonly issuerRegex: string;
  readonly userIdClaim: string;
  readonly insecureSkipJwksEndpointSafetyCheck: boolean;
}

/** `client.subscription_token`: keys of its own when `enabled`. */
export interface SubscriptionTokenConfig extends TokenConfig {
  readonly enabled: boolean;
  /** compat: tokens bound to a connection by `client` instead of `sub` (tokens.md 12.1). */
  readonly legacyClientClaim: boolean;
}

/** One row of `client.connect_code_to_unidirectional_disconnect.transforms`. */
export interface ConnectCodeTransform {
  readonly code: number;
  readonly to: { readonly code: number; readonly reason: string };
}

/** `client` (channels-and-config.md 3.5). Durations in ms; limits of 0 mean none. */
export interface ClientConfig {
  readonly allowedOrigins: readonly string[];
  readonly token: TokenConfig;
  readonly subscriptionToken: SubscriptionTokenConfig;
  readonly allowAnonymousConnectWithoutToken: boolean;
  readonly disallowAnonymousConnectionTokens: boolean;
  readonly insecure: boolean;
  readonly insecureSkipTokenSignatureVerify: boolean;
  readonly userIdHttpHeader: string;
  readonly proxy: { readonly connect: SwitchedProxyConfig; readonly refresh: SwitchedProxyConfig };
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  readonly expiredCloseDelayMs: number;
  readonly expiredSubCloseDelayMs: number;
  readonly staleCloseDelayMs: number;
  readonly channelLimit: number;
  readonly queueMaxSize: number;
  readonly presenceUpdateIntervalMs: number;
  readonly concurrency: number;
  readonly channelPositionCheckDelayMs: number;
  readonly channelPositionMaxTimeLagMs: number;
  readonly connectionLimit: number;
  readonly connectionRateLimit: number;
  readonly userConnectionLimit: number;
  readonly rateLimit: RateLimitConfig;
  readonly connectIncludeServerTime: boolean;
  /** 0 = no limit (only reachable from the environment). */
  readonly historyMaxPublicationLimit: number;
  readonly recoveryMaxPublicationLimit: number;
  readonly subscribeToUserPersonalChannel: {
    readonly enabled: boolean;
    readonly personalChannelNamespace: string;
    readonly singleConnection: boolean;
  };
  readonly connectCodeToUnidirectionalDisconnect: {
    readonly enabled: boolean;
    readonly transforms: readonly ConnectCodeTransform[];
  };
}

const tokenFields: FieldsOf<TokenConfig> = {
  hmacSecretKey: text('Secret for HS256, HS384 and HS512.'),
  hmacPreviousSecretKey: text('Second secret during a rotation.'),
  hmacPreviousSecretKeyValidUntil: int('Unix time until which that one is tried; 0 is always.'),
  rsaPublicKey: text('Public key for RS*, PEM text.'),
  ecdsaPublicKey: text('Public key for ES*, PEM text.'),
  jwksPublicEndpoint: text('URL of a JSON Web Key Set; static keys are ignored when it is set.'),
  audience: text('Required `aud`.'),
  audienceRegex: text('RE2 expression for `aud`; not together with `audience`.'),
  issuer: text('Required `iss`.'),
  issuerRegex: text('RE2 expression for `iss`; not together with `issuer`.'),
  userIdClaim: text('Claim that holds the user ID instead of `sub`.'),
  insecureSkipJwksEndpointSafetyCheck: bool('Allow loose expressions to feed placeholders of the key set URL.'),
};

const limitFields = {
  pingIntervalMs: duration('Period of pings to clients; must exceed `pong_timeout`. Negative: no pings.', '25s'),
  pongTimeoutMs: duration('How long to wait for a pong. Negative: none is asked for.', '8s'),
  expiredCloseDelayMs: duration('Grace after the token of a connection expired.', '25s'),
  expiredSubCloseDelayMs: duration('Grace after the token of a subscription expired.', '25s'),
  staleCloseDelayMs: duration('Time to authenticate in. Negative: any.', '10s'),
  channelLimit: int('Subscriptions per connection. Negative: any number.', 128),
  queueMaxSize: int('Bytes queued per connection before it is closed as too slow.', 1_048_576),
  presenceUpdateIntervalMs: duration('Period of the per-connection tick.', '27s'),
  concurrency: int('Above 1: commands of one connection that may run at a time.'),
  channelPositionCheckDelayMs: duration('Age after which a position is compared with the broker.', '40s'),
  channelPositionMaxTimeLagMs: duration('Publications that arrive older than this count as lost; 0 is off.'),
  connectionLimit: int('Connections per node; above it HTTP 503.'),
  connectionRateLimit: int('Burst of new connections per node; above it HTTP 503.'),
  userConnectionLimit: int('Connections per user and node.'),
  connectIncludeServerTime: bool('Add the server time to connect replies.'),
  historyMaxPublicationLimit: int('Publications per history call of a client.', 300, { keepsZeroFromEnv: true }),
  recoveryMaxPublicationLimit: int('Publications per recovery.', 300),
} as const;

export const client: GroupField<FieldsOf<ClientConfig>> = group('Client connections.', {
  allowedOrigins: list('Globs for the `Origin` of browsers; empty refuses all browsers, `*` allows all.'),
  token: group('Tokens of connections, and of subscriptions unless these have their own.', tokenFields),
  subscriptionToken: group('Tokens of subscriptions.', {
    enabled: bool('Use the keys below for subscription tokens.'),
    ...tokenFields,
    legacyClientClaim: bool('Accept subscription tokens that name the connection (`client`) and no user.'),
  }),
  allowAnonymousConnectWithoutToken: bool('A connection without a token is anonymous.'),
  disallowAnonymousConnectionTokens: bool('Refuse tokens without a user.'),
  insecure: bool('No authentication, all permissions. Development only.'),
  insecureSkipTokenSignatureVerify: bool('Do not verify signatures of tokens. Development only.'),
  userIdHttpHeader: text('Header of a trusted front proxy that names the user.'),
  proxy: group('Backends asked about connections.', {
    connect: switchedProxy('Asked on connect.'),
    refresh: switchedProxy('Asked when a connection is about to expire.'),
  }),
  ...limitFields,
  rateLimit,
  subscribeToUserPersonalChannel: group('Server-side subscription of each user to a channel of its own.', {
    enabled: bool('Turns it on.'),
    personalChannelNamespace: text('Namespace of these channels.'),
    singleConnection: bool('Close the older connection of a user; needs presence in that namespace.'),
  }),
  connectCodeToUnidirectionalDisconnect: group(
    'Maps connect errors to disconnect codes on unidirectional transports.',
    {
      enabled: bool('Turns it on.'),
      transforms: items('Rows of the map.', {
        code: int('Error code to match.'),
        to: group('Disconnect to send.', {
          code: int('Disconnect code.'),
          reason: text('Reason, ASCII, at most 123 bytes.'),
        }),
      }),
    },
  ),
});
