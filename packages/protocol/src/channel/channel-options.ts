// Every option of a namespace (channels-and-config.md §1.5.1–1.5.5). Nothing is inherited between namespaces.

export type SubscriptionType = '' | 'stream' | 'map' | 'map_clients' | 'map_users' | 'shared_poll';
export type PublicationDataFormat = '' | 'json' | 'json_object' | 'binary';
export type RecoveryMode = '' | 'stream' | 'cache';
export type MapMode = '' | 'ephemeral' | 'recoverable' | 'persistent';
export type MapClientKey = '' | 'client_id' | 'user_id';
export type SharedPollMode = 'versionless' | 'versioned';

/** §1.5.4; used when the subscription type is one of the map types. */
export interface MapOptions {
  /** Empty: not configured, which only a namespace of another type may be. */
  readonly mode: MapMode;
  /** Life of a key after its last write; 0 in `persistent` mode. */
  readonly keyTtlMs: number;
  readonly streamSize: number;
  readonly streamTtlMs: number;
  /** 0: derived (10 × stream TTL, raised to the key TTL; unlimited in `persistent` mode). */
  readonly metaTtlMs: number;
  readonly clientKey: MapClientKey;
  readonly removeClientOnUnsubscribe: boolean;
  readonly allowPublishForClient: boolean;
  readonly allowPublishForSubscriber: boolean;
  readonly allowPublishForAnonymous: boolean;
  readonly allowRemoveForClient: boolean;
  readonly allowRemoveForSubscriber: boolean;
  readonly allowRemoveForAnonymous: boolean;
  readonly defaultPageSize: number;
  readonly minPageSize: number;
  readonly maxPageSize: number;
  /** 0: the maximum page size. */
  readonly liveTransitionMaxPublicationLimit: number;
  readonly subscribeCatchUpTimeoutMs: number;
  readonly publishProxyEnabled: boolean;
  readonly publishProxyName: string;
  readonly removeProxyEnabled: boolean;
  readonly removeProxyName: string;
}

/** §1.5.5; used when the subscription type is `shared_poll`. */
export interface SharedPollOptions {
  readonly refreshIntervalMs: number;
  readonly refreshBatchSize: number;
  readonly maxKeysPerConnection: number;
  readonly mode: SharedPollMode;
  readonly channelShutdownDelayMs: number;
  readonly trackExpiredExtraDelayMs: number;
  readonly publishEnabled: boolean;
  readonly proxyName: string;
}

export interface ChannelOptions {
  // Presence, join and leave, history, recovery, delta (§1.5.1)
  readonly presence: boolean;
  readonly joinLeave: boolean;
  readonly forcePushJoinLeave: boolean;
  /** Publications kept per channel; history is on when this and the TTL are above 0. */
  readonly historySize: number;
  readonly historyTtlMs: number;
  /** 0: the value of the `channel` group. */
  readonly historyMetaTtlMs: number;
  readonly forcePositioning: boolean;
  readonly allowPositioning: boolean;
  readonly forceRecovery: boolean;
  readonly allowRecovery: boolean;
  /** Empty is `stream`. */
  readonly forceRecoveryMode: RecoveryMode;
  readonly autoCacheRecover: boolean;
  readonly allowedDeltaTypes: readonly 'fossil'[];
  readonly deltaPublish: boolean;
  readonly allowTagsFilter: boolean;

  // Permissions and name rules (§1.5.2)
  readonly allowSubscribeForClient: boolean;
  readonly allowSubscribeForAnonymous: boolean;
  readonly allowPublishForClient: boolean;
  readonly allowPublishForSubscriber: boolean;
  readonly allowPublishForAnonymous: boolean;
  readonly allowPresenceForClient: boolean;
  readonly allowPresenceForSubscriber: boolean;
  readonly allowPresenceForAnonymous: boolean;
  readonly allowHistoryForClient: boolean;
  readonly allowHistoryForSubscriber: boolean;
  readonly allowHistoryForAnonymous: boolean;
  readonly allowUserLimitedChannels: boolean;
  /** RE2 source; empty: the name must be ASCII. */
  readonly channelRegex: string;
  /** Empty: the value of the `channel` group. */
  readonly publicationDataFormat: PublicationDataFormat;
  /** Empty is `stream`. */
  readonly subscriptionType: SubscriptionType;

  // Proxies (§1.5.3)
  readonly subscribeProxyEnabled: boolean;
  readonly subscribeProxyName: string;
  readonly publishProxyEnabled: boolean;
  readonly publishProxyName: string;
  readonly subRefreshProxyEnabled: boolean;
  readonly subRefreshProxyName: string;
  readonly subscribeStreamProxyEnabled: boolean;
  readonly subscribeStreamProxyName: string;
  readonly subscribeStreamProxyBidirectional: boolean;

  // Maps and shared polls (§1.5.4, §1.5.5)
  readonly map: MapOptions;
  readonly mapClientsPresenceChannelPrefix: string;
  readonly mapUsersPresenceChannelPrefix: string;
  readonly sharedPoll: SharedPollOptions;
}

export const DEFAULT_MAP_OPTIONS: MapOptions = Object.freeze({
  mode: '',
  keyTtlMs: 0,
  streamSize: 100,
  streamTtlMs: 60_000,
  metaTtlMs: 0,
  clientKey: '',
  removeClientOnUnsubscribe: false,
  allowPublishForClient: false,
  allowPublishForSubscriber: false,
  allowPublishForAnonymous: false,
  allowRemoveForClient: false,
  allowRemoveForSubscriber: false,
  allowRemoveForAnonymous: false,
  defaultPageSize: 100,
  minPageSize: 100,
  maxPageSize: 1000,
  liveTransitionMaxPublicationLimit: 0,
  subscribeCatchUpTimeoutMs: 5_000,
  publishProxyEnabled: false,
  publishProxyName: 'default',
  removeProxyEnabled: false,
  removeProxyName: 'default',
});

export const DEFAULT_SHARED_POLL_OPTIONS: SharedPollOptions = Object.freeze({
  refreshIntervalMs: 10_000,
  refreshBatchSize: 1000,
  maxKeysPerConnection: 5000,
  mode: 'versionless',
  channelShutdownDelayMs: 1_000,
  trackExpiredExtraDelayMs: 25_000,
  publishEnabled: false,
  proxyName: 'default',
});

/** A namespace in which nothing is configured. */
export const DEFAULT_CHANNEL_OPTIONS: ChannelOptions = Object.freeze({
  presence: false,
  joinLeave: false,
  forcePushJoinLeave: false,
  historySize: 0,
  historyTtlMs: 0,
  historyMetaTtlMs: 0,
  forcePositioning: false,
  allowPositioning: false,
  forceRecovery: false,
  allowRecovery: false,
  forceRecoveryMode: '',
  autoCacheRecover: false,
  allowedDeltaTypes: [],
  deltaPublish: false,
  allowTagsFilter: false,
  allowSubscribeForClient: false,
  allowSubscribeForAnonymous: false,
  allowPublishForClient: false,
  allowPublishForSubscriber: false,
  allowPublishForAnonymous: false,
  allowPresenceForClient: false,
  allowPresenceForSubscriber: false,
  allowPresenceForAnonymous: false,
  allowHistoryForClient: false,
  allowHistoryForSubscriber: false,
  allowHistoryForAnonymous: false,
  allowUserLimitedChannels: false,
  channelRegex: '',
  publicationDataFormat: '',
  subscriptionType: '',
  subscribeProxyEnabled: false,
  subscribeProxyName: 'default',
  publishProxyEnabled: false,
  publishProxyName: 'default',
  subRefreshProxyEnabled: false,
  subRefreshProxyName: 'default',
  subscribeStreamProxyEnabled: false,
  subscribeStreamProxyName: 'default',
  subscribeStreamProxyBidirectional: false,
  map: DEFAULT_MAP_OPTIONS,
  mapClientsPresenceChannelPrefix: '',
  mapUsersPresenceChannelPrefix: '',
  sharedPoll: DEFAULT_SHARED_POLL_OPTIONS,
});
