import type { ChannelRules, RpcRules } from '@carillon/policy';
import type { PublicationDataFormat } from '@carillon/protocol/channel';
import type { DisconnectCode } from '@carillon/protocol/codes';
import type { LimitSettings } from './limit/command-limits.ts';

/**
 * Options that commands read (channels-and-config §3.5), durations in ms. Read anew for each command, so that a
 * configuration reload takes effect.
 */
export interface GatewaySettings {
  /** Namespaces and name rules. */
  readonly channels: ChannelRules;
  /** `channel.publication_data_format`. */
  readonly defaultDataFormat: PublicationDataFormat;
  /** `channel.history_meta_ttl`. */
  readonly defaultHistoryMetaTtlMs: number;
  /** Longest channel name a client may subscribe to, bytes. */
  readonly maxChannelBytes: number;
  readonly channelLimit: number;
  readonly concurrency: number;
  readonly pingIntervalMs: number;
  /** 0: no pongs are expected. */
  readonly pongTimeoutMs: number;
  readonly staleCloseDelayMs: number;
  readonly expiredCloseDelayMs: number;
  readonly expiredSubCloseDelayMs: number;
  /** 0 = no limit. Per node. */
  readonly userConnectionLimit: number;
  /** `client.rate_limit`. The same object for as long as the configuration is the same. */
  readonly limits: LimitSettings;
  readonly includeServerTime: boolean;
  /** 0 = unlimited. */
  readonly historyLimit: number;
  /** 0 = unlimited. */
  readonly recoveryLimit: number;
  readonly insecure: boolean;
  readonly allowAnonymousConnectWithoutToken: boolean;
  readonly disallowAnonymousConnectionTokens: boolean;
  /** Lower case; '' = off. */
  readonly userIdHeader: string;
  readonly personalChannel: {
    readonly enabled: boolean;
    /** '' = no namespace. */
    readonly namespace: string;
    readonly singleConnection: boolean;
  };
  readonly connectProxyEnabled: boolean;
  readonly refreshProxyEnabled: boolean;
  /** What some proxy wants of the connect frame's headers, lower-case names (proxy.md §3.2). */
  readonly keptEmulatedHeaders: ReadonlySet<string>;
  readonly rpc: RpcRules;
  /** tokens.md §12.1. */
  readonly legacyClientClaim: boolean;
  /** Connect errors of unidirectional transports, by code (proxy.md §6.1). */
  readonly unidirectionalDisconnects: ReadonlyMap<number, DisconnectCode>;
}
