import { bool, duration, type FieldsOf, group, type GroupField, int, items, type ItemsField, text } from './field.ts';

/** A token bucket: `rate` at once, and `rate` per interval in the long run. */
export interface BucketConfig {
  readonly intervalMs: number;
  readonly rate: number;
}

/** Buckets of a command; all of them must have a token. Without buckets the default ones count. */
export interface LimitConfig {
  readonly enabled: boolean;
  readonly buckets: readonly BucketConfig[];
}

export interface NamespaceLimitConfig extends LimitConfig {
  readonly namespaceName: string;
}

export interface MethodLimitConfig extends LimitConfig {
  readonly method: string;
}

/** The same for a command on a channel. */
export interface ChannelLimitConfig extends LimitConfig {
  readonly namespaceOverrides: readonly NamespaceLimitConfig[];
}

/** `client.rate_limit.client_command`. */
export interface ClientCommandLimitConfig {
  readonly enabled: boolean;
  readonly total: LimitConfig;
  readonly default: LimitConfig;
  readonly subscribe: ChannelLimitConfig;
  readonly unsubscribe: ChannelLimitConfig;
  readonly publish: ChannelLimitConfig;
  readonly history: ChannelLimitConfig;
  readonly presence: ChannelLimitConfig;
  readonly presenceStats: ChannelLimitConfig;
  readonly refresh: LimitConfig;
  readonly subRefresh: ChannelLimitConfig;
  readonly rpc: LimitConfig & { readonly methodOverrides: readonly MethodLimitConfig[] };
}

/** `client.rate_limit.user_command`. */
export interface UserCommandLimitConfig extends ClientCommandLimitConfig {
  readonly connect: LimitConfig;
}

/** `client.rate_limit`: what clients may ask of a gateway in a time. */
export interface RateLimitConfig {
  readonly clientCommand: ClientCommandLimitConfig;
  readonly userCommand: UserCommandLimitConfig;
  readonly clientError: { readonly enabled: boolean; readonly total: LimitConfig };
}

const buckets = (): ItemsField<FieldsOf<BucketConfig>> =>
  items('Token buckets; each must have a token.', {
    intervalMs: duration('Time in which `rate` tokens come back, `1s` to `1h`.'),
    rate: int('Tokens: how many at once, and how many per interval.'),
  });
const limitFields = (): FieldsOf<LimitConfig> => ({ enabled: bool('Turns it on.'), buckets: buckets() });
const limit = (doc: string): GroupField<FieldsOf<LimitConfig>> => group(doc, limitFields());
const channelLimit = (doc: string): GroupField<FieldsOf<ChannelLimitConfig>> =>
  group(doc, {
    ...limitFields(),
    namespaceOverrides: items('Buckets that take the place of those above in a namespace.', {
      namespaceName: text('Namespace.'),
      ...limitFields(),
    }),
  });

const commandFields = (): FieldsOf<ClientCommandLimitConfig> => ({
  enabled: bool('Turns it on.'),
  total: limit('All commands together; those that their own buckets refuse do not count.'),
  default: limit('Each command that has no buckets of its own, by itself.'),
  subscribe: channelLimit('Subscribe commands.'),
  unsubscribe: channelLimit('Unsubscribe commands: counted, never refused.'),
  publish: channelLimit('Publish commands.'),
  history: channelLimit('History commands.'),
  presence: channelLimit('Presence commands.'),
  presenceStats: channelLimit('Presence stats commands.'),
  refresh: limit('Refresh commands.'),
  subRefresh: channelLimit('Commands that refresh a subscription.'),
  rpc: group('RPC commands.', {
    ...limitFields(),
    methodOverrides: items('Buckets that take the place of those above for a method.', {
      method: text('Method.'),
      ...limitFields(),
    }),
  }),
});

export const rateLimit: GroupField<FieldsOf<RateLimitConfig>> = group(
  'Limits per connection and per user, in each gateway.',
  {
    clientCommand: group('Commands of one connection; above it error 111.', commandFields()),
    userCommand: group('Commands of all connections of a user at one gateway; above it error 111.', {
      ...commandFields(),
      connect: limit('Connect commands.'),
    }),
    clientError: group('Errors that one connection is answered with; above it disconnect 3509.', {
      enabled: bool('Turns it on.'),
      total: limit('All errors but internal ones.'),
    }),
  },
);
