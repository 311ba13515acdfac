import type { ChannelOptions, MapOptions, SharedPollOptions } from '@carillon/protocol/channel';
import { bool, duration, type FieldsOf, group, int, list, oneOf, text } from './field.ts';

const PROXY_NAME = '`default` is the endpoint under `channel.proxy`; else an entry of `proxies`.';

const mapOptions: FieldsOf<MapOptions> = {
  mode: oneOf('`ephemeral`, `recoverable` or `persistent`; required for map types.', '', [
    '',
    'ephemeral',
    'recoverable',
    'persistent',
  ]),
  keyTtlMs: duration('Life of a key after its last write; not for `persistent`.'),
  streamSize: int('Length of the change log; not for `ephemeral`.', 100),
  streamTtlMs: duration('Life of the change log; not for `ephemeral`.', '1m'),
  metaTtlMs: duration('Life of epoch and offset; derived when not set.'),
  clientKey: oneOf('Replaces the key of client writes.', '', ['', 'client_id', 'user_id']),
  removeClientOnUnsubscribe: bool('Delete the key equal to the client ID when that client leaves.'),
  allowPublishForClient: bool('Authenticated clients may write.'),
  allowPublishForSubscriber: bool('Subscribers may write.'),
  allowPublishForAnonymous: bool('Extends the two above to anonymous clients.'),
  allowRemoveForClient: bool('Authenticated clients may remove keys.'),
  allowRemoveForSubscriber: bool('Subscribers may remove keys.'),
  allowRemoveForAnonymous: bool('Extends the two above to anonymous clients.'),
  publishProxyEnabled: bool('A backend decides map writes.'),
  publishProxyName: text(PROXY_NAME, 'default'),
  removeProxyEnabled: bool('A backend decides map removals.'),
  removeProxyName: text(PROXY_NAME, 'default'),
  defaultPageSize: int('Page size when the client names none.', 100),
  minPageSize: int('Smallest page size.', 100),
  maxPageSize: int('Largest page size.', 1000),
  liveTransitionMaxPublicationLimit: int('Change-log entries allowed when going live (default: largest page size).'),
  subscribeCatchUpTimeoutMs: duration('Limit for the whole catch-up.', '5s'),
};

const sharedPollOptions: FieldsOf<SharedPollOptions> = {
  proxyName: text('Backend that answers polls.', 'default'),
  refreshIntervalMs: duration('Poll period per node.', '10s'),
  refreshBatchSize: int('Keys per backend call.', 1000),
  maxKeysPerConnection: int('Tracked keys per connection.', 5000),
  mode: oneOf('`versionless` or `versioned`.', 'versionless', ['versionless', 'versioned']),
  channelShutdownDelayMs: duration('How long an unused channel is kept.', '1s'),
  trackExpiredExtraDelayMs: duration('Grace to renew an expired track signature.', '25s'),
  publishEnabled: bool('Allow `shared_poll_publish`; needs `versioned`.'),
};

const deliveryFields = {
  presence: bool('Track who is subscribed.'),
  joinLeave: bool('Emit join and leave events; a subscriber gets them if it asks and may.'),
  forcePushJoinLeave: bool('Push join and leave events to every subscriber; needs `join_leave`.'),
  historySize: int('Publications kept per channel; with `history_ttl` switches history on.', 0, { min: 0 }),
  historyTtlMs: duration('How long publications are kept after the last one.'),
  historyMetaTtlMs: duration('How long epoch and offset are kept; 0 takes `channel.history_meta_ttl`.'),
  forcePositioning: bool('All subscriptions are positioned: gaps are detected.'),
  allowPositioning: bool('Clients may ask for positioning.'),
  forceRecovery: bool('All subscriptions are recoverable; needs history.'),
  allowRecovery: bool('Clients may ask for recovery.'),
  forceRecoveryMode: oneOf('`stream` (also when empty) or `cache`.', '', ['', 'stream', 'cache']),
  autoCacheRecover: bool('Deliver the newest publication on every subscribe; needs `force_recovery` in mode `cache`.'),
  allowedDeltaTypes: list('Delta algorithms clients may ask for: `fossil`.', [], { oneOf: ['fossil'] }),
  deltaPublish: bool('All publications may be sent as deltas.'),
  allowTagsFilter: bool('Clients may send a publication filter.'),
} as const;

const permissionFields = {
  allowSubscribeForClient: bool('Authenticated clients may subscribe without a token.'),
  allowSubscribeForAnonymous: bool('Extends the above to anonymous clients.'),
  allowPublishForClient: bool('Authenticated clients may publish.'),
  allowPublishForSubscriber: bool('Subscribers may publish.'),
  allowPublishForAnonymous: bool('Extends the two above to anonymous clients.'),
  allowPresenceForClient: bool('Authenticated clients may read presence.'),
  allowPresenceForSubscriber: bool('Subscribers may read presence.'),
  allowPresenceForAnonymous: bool('Extends the two above to anonymous clients.'),
  allowHistoryForClient: bool('Authenticated clients may read history.'),
  allowHistoryForSubscriber: bool('Subscribers may read history.'),
  allowHistoryForAnonymous: bool('Extends the two above to anonymous clients.'),
  allowUserLimitedChannels: bool('Turns on user lists after `#` in channel names.'),
  channelRegex: text('RE2 expression that names (after `ns:`) must match; replaces the ASCII rule.'),
  publicationDataFormat: oneOf('What publications may hold; empty takes the option of the `channel` group.', '', [
    '',
    'json',
    'json_object',
    'binary',
  ]),
  subscriptionType: oneOf('Kind of channel; empty is `stream`.', '', [
    '',
    'stream',
    'map',
    'map_clients',
    'map_users',
    'shared_poll',
  ]),
} as const;

const proxyFields = {
  subscribeProxyEnabled: bool('A backend decides subscriptions.'),
  subscribeProxyName: text(PROXY_NAME, 'default'),
  publishProxyEnabled: bool('A backend decides client publications.'),
  publishProxyName: text(PROXY_NAME, 'default'),
  subRefreshProxyEnabled: bool('A backend refreshes expiring subscriptions.'),
  subRefreshProxyName: text(PROXY_NAME, 'default'),
  subscribeStreamProxyEnabled: bool('A backend opens a stream per subscription (GRPC only).'),
  subscribeStreamProxyName: text(PROXY_NAME, 'default'),
  subscribeStreamProxyBidirectional: bool('Client publications go into that stream.'),
} as const;

/** The table of `ChannelOptions` (channels-and-config.md 1.5.1–1.5.5). */
export const channelOptionFields: FieldsOf<ChannelOptions> = {
  ...deliveryFields,
  ...permissionFields,
  ...proxyFields,
  map: group('Map subscriptions.', mapOptions),
  mapClientsPresenceChannelPrefix: text('Write an entry per client into channel prefix + channel.'),
  mapUsersPresenceChannelPrefix: text('Write an entry per user into channel prefix + channel.'),
  sharedPoll: group('Shared poll subscriptions.', sharedPollOptions),
};
