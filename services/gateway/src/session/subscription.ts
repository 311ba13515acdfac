import type { ChannelOptions } from '@carillon/protocol/channel';
import type { OpenSubscription } from '../fanout/hub-port.ts';

/** Where a subscription came from (server-api §8, ChannelContext.source). */
export const SUBSCRIPTION_SOURCE = {
  connectionToken: 1,
  connectProxy: 2,
  subscriptionToken: 3,
  subscribeProxy: 4,
  userLimited: 5,
  clientAllowed: 6,
  clientInsecure: 7,
  unidirectionalConnect: 8,
  personalChannel: 9,
  serverApi: 10,
  connectionCapability: 11,
} as const;

/** Who extends a subscription that expires: the client by `sub_refresh`, or the server through the backend. */
export type SubscriptionRefresh = 'client' | 'server';

/** One channel of one session, from the moment its place is taken until it ends. Written by commands only. */
export interface Subscription {
  readonly channel: string;
  readonly options: ChannelOptions;
  readonly isServerSide: boolean;
  readonly source: number;
  /** False while the subscribe is still in flight: no push may leave yet. */
  isLive: boolean;
  /** Set until the subscription is live. */
  opening: OpenSubscription | undefined;
  /** Settles when the subscribe has ended, either way; never rejects. */
  readonly settled: Promise<void>;
  /** `chan_info` of this subscriber. */
  info: Uint8Array | undefined;
  /** Unix seconds; 0 = never. */
  expireAt: number;
  refresh: SubscriptionRefresh;
  /** Entered into presence. */
  isPresent: boolean;
  /** Its own join and leave are published. */
  emitsJoinLeave: boolean;
  /** The join that was published, so that a leave never overtakes it (§3.4 C5). */
  joined: Promise<void> | undefined;
  /** Operations granted with the subscription: `pub`, `hst`, `prs` (tokens.md §10). */
  allow: readonly string[];
  /** `jti` and `iat` of the subscription token, for revocation. */
  tokenId: string | undefined;
  tokenIssuedAt: number;
}
