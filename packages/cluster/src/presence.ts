import type { ClientInfo } from '@carillon/protocol/client';

/**
 * Who is subscribed to a channel, over all nodes (channels-and-config §2.5).
 *
 * A gateway adds an entry before it answers a subscribe and removes it when the subscription ends; entries need no
 * refresh by the caller: they live as long as the node that made them is alive. Reads are eventually consistent.
 * A rejection is an `OperationalError`.
 */
export interface Presence {
  /** Adds or replaces the entry of `info.client`. */
  add(channel: string, info: ClientInfo): Promise<void>;
  /**
   * Replaces the entry of a client of this node that has one, and does nothing for any other. Never rejects: what can't be
   * written now is written as soon as it can be.
   */
  replace(channel: string, info: ClientInfo): Promise<void>;
  /** Removes the entry of a client of this node; unknown entries are fine. */
  remove(channel: string, client: string): Promise<void>;
  /** All entries by client id. */
  members(channel: string): Promise<ReadonlyMap<string, ClientInfo>>;
  stats(channel: string): Promise<PresenceStats>;
  close(): Promise<void>;
}

export interface PresenceStats {
  /** Entries. */
  readonly numClients: number;
  /** Distinct user ids; all anonymous connections count as one. */
  readonly numUsers: number;
}
