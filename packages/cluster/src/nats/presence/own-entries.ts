import type { ClientInfo } from '@carillon/protocol/client';

const NOBODY: ReadonlyMap<string, ClientInfo> = new Map();

/** What this node has to say about its own clients: the truth, whatever the stream holds. */
export class OwnEntries {
  readonly #channels: Map<string, Map<string, ClientInfo>> = new Map();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  set(channel: string, info: ClientInfo): void {
    const client = info.client ?? '';
    const members = this.#channels.get(channel) ?? new Map<string, ClientInfo>();
    if (members.size === 0) this.#channels.set(channel, members);
    if (!members.has(client)) this.#size += 1;
    members.set(client, info);
  }

  delete(channel: string, client: string): boolean {
    const members = this.#channels.get(channel);
    if (members === undefined || !members.delete(client)) return false;
    this.#size -= 1;
    if (members.size === 0) this.#channels.delete(channel);
    return true;
  }

  get(channel: string, client: string): ClientInfo | undefined {
    return this.#channels.get(channel)?.get(client);
  }

  of(channel: string): ReadonlyMap<string, ClientInfo> {
    return this.#channels.get(channel) ?? NOBODY;
  }

  /** All entries, as they are when they are reached: what is removed meanwhile is not given any more. */
  *all(): Generator<readonly [channel: string, client: string]> {
    for (const [channel, members] of this.#channels) {
      for (const client of members.keys()) yield [channel, client];
    }
  }

  clear(): void {
    this.#channels.clear();
    this.#size = 0;
  }
}
