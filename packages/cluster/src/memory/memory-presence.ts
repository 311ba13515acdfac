import type { ClientInfo } from '@carillon/protocol/client';
import type { Presence, PresenceStats } from '../presence.ts';
import { countPresence } from '../presence-count.ts';

const NOBODY: ReadonlyMap<string, ClientInfo> = new Map();

/** Presence of a single process: entries live until they are removed or the process ends. */
export class MemoryPresence implements Presence {
  readonly #channels: Map<string, Map<string, ClientInfo>> = new Map();

  async add(channel: string, info: ClientInfo): Promise<void> {
    const members = this.#channels.get(channel);
    if (members === undefined) this.#channels.set(channel, new Map([[info.client ?? '', info]]));
    else members.set(info.client ?? '', info);
  }

  async replace(channel: string, info: ClientInfo): Promise<void> {
    const members = this.#channels.get(channel);
    const client = info.client ?? '';
    if (members?.has(client) === true) members.set(client, info);
  }

  async remove(channel: string, client: string): Promise<void> {
    const members = this.#channels.get(channel);
    if (members === undefined) return;
    members.delete(client);
    if (members.size === 0) this.#channels.delete(channel);
  }

  async members(channel: string): Promise<ReadonlyMap<string, ClientInfo>> {
    return new Map(this.#channels.get(channel) ?? NOBODY);
  }

  async stats(channel: string): Promise<PresenceStats> {
    return countPresence((this.#channels.get(channel) ?? NOBODY).values());
  }

  async close(): Promise<void> {
    this.#channels.clear();
  }
}
