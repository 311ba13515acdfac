import type { SubscriptionSource } from '@carillon/policy';
import type { ChannelOptions } from '@carillon/protocol/channel';
import type { OpenedState } from '../fanout/hub-port.ts';
import type { Deadline } from './deadlines.ts';

/**
 * Who extends a subscription that expires: the client by `sub_refresh`, the server through the backend, or nobody
 * (server-side subscriptions where no backend is asked; client-protocol §3.11, §3.13).
 */
export type SubscriptionRefresh = 'client' | 'server' | 'nobody';

/** What a subscription may do with the stream that feeds it. */
export interface SubscriptionStream {
  /** Whether the backend took it. */
  publish(data: Uint8Array): Promise<boolean>;
  close(): void;
}

/** One established subscription of a session. Changed by commands and control only. */
export interface Subscription {
  readonly channel: string;
  readonly options: ChannelOptions;
  /** Client-side becomes server-side when the server API subscribes the connection again. */
  isServerSide: boolean;
  source: SubscriptionSource;
  /** `chan_info` of this subscriber. */
  info: Uint8Array | undefined;
  /** What its stream was when it went live. */
  readonly opened: Pick<OpenedState, 'positioned' | 'recoverable' | 'epoch' | 'offset'>;
  /** Unix seconds; 0 = never. */
  expireAt: number;
  refresh: SubscriptionRefresh;
  /** Set while the subscription can expire. */
  expiry: Deadline | undefined;
  /** Entered into presence. */
  readonly isPresent: boolean;
  /** Its own join and leave are published. */
  readonly emitsJoinLeave: boolean;
  /** The join that was published, so that a leave never overtakes it (§3.4 C5). */
  joined: Promise<void> | undefined;
  /** Set when it has ended, if others may see it in presence until then: settles when they don't. */
  left: Promise<void> | undefined;
  /** The backend's stream that feeds it, besides the channel's publications (proxy.md §6.7). */
  readonly stream: SubscriptionStream | undefined;
  /** Operations granted with the subscription: `pub`, `hst`, `prs` (tokens.md §10). */
  allow: readonly string[];
  /** `jti` and `iat` (Unix seconds, 0 = unknown) of the subscription token, for revocation. */
  tokenId: string | undefined;
  tokenIssuedAt: number;
}
