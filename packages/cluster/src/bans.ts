import type { BanKey, Ban } from './ban-list.ts';

/** What a service may ask of the bans it knows: answers at once, from memory. Times are Unix seconds. */
export interface BanView {
  isUserBlocked(user: string, nowS: number): boolean;
  /** Whether the token itself, or all tokens of its user from before some time, are refused. */
  isTokenRevoked(token: TokenFacts, nowS: number): boolean;
  /** Records, ended ones perhaps among them. */
  readonly size: number;
}

/** A token that was verified, as far as bans go. */
export interface TokenFacts {
  readonly user: string;
  /** `jti`. */
  readonly tokenId: string | undefined;
  /** `iat`; 0 = the token does not say, and counts as older than anything. */
  readonly issuedAt: number;
  /** Of a subscription token; undefined for a connection token. */
  readonly channel?: string | undefined;
}

/** Called synchronously; must not throw. Ends of bans are not told. */
export interface BanListener {
  /** A ban that is new or was changed. */
  onBan(ban: Ban): void;
  /** The whole list was read again: anything may have changed. */
  onReloaded(): void;
}

/**
 * Blocked users and revoked tokens of the whole cluster (tokens.md §9.1): every node has all of them in memory, knows of
 * a change within a second, and finds them again after a restart where the adapter is durable. Services ask `current`
 * when somebody connects, and watch for bans that concern who is connected already. While the store is away the last
 * known bans count. A rejection is an `OperationalError`.
 */
export interface BanStore {
  /** The bans known here. The same object for the life of the store: it changes as bans do. */
  readonly current: BanView;
  /**
   * Stores the ban in place of an older one of the same key; resolves when it counts here and will count everywhere.
   * A ban that has ended already removes the older one. Rejects with `bans_full` beyond {@link MAX_BANS}.
   */
  put(ban: Ban): Promise<void>;
  /** Ends a ban; fine when there is none. */
  remove(key: BanKey): Promise<void>;
  /** Returns how to stop listening. */
  watch(listener: BanListener): () => void;
  /** Idempotent. `current` stays readable. */
  close(): Promise<void>;
}

/** Bans that a cluster may have at a time: each node keeps them all in memory, some hundred bytes each. */
export const MAX_BANS = 500_000;
