import { OperationalError, type Clock } from '@carillon/service-kit';
import { BanList, isRunning, type Ban, type BanKey } from '../ban-list.ts';
import { MAX_BANS, type BanListener, type BanStore } from '../bans.ts';

/** How often ended bans are looked for, ms; and when there is no room for another. */
const DROP_ENDED_MS = 60_000;
const DROP_ENDED_WHEN_FULL_MS = 1_000;

export interface MemoryBansDeps {
  readonly clock: Clock;
  readonly maxBans?: number | undefined;
}

/** Bans of a cluster of one: gone with the process. */
export class MemoryBans implements BanStore {
  readonly current: BanList = new BanList();
  readonly #clock: Clock;
  readonly #maxBans: number;
  readonly #listeners: Set<BanListener> = new Set();
  #droppedAt: number;
  #isClosed = false;

  constructor({ clock, maxBans }: MemoryBansDeps) {
    this.#clock = clock;
    this.#maxBans = maxBans ?? MAX_BANS;
    this.#droppedAt = clock.monotonic();
  }

  async put(ban: Ban): Promise<void> {
    this.#assertOpen();
    const nowS = this.#clock.now() / 1000;
    if (!isRunning(ban.expireAt, nowS)) {
      this.current.remove(ban);
      return;
    }
    this.#dropEnded(nowS);
    if (this.current.size >= this.#maxBans && !this.current.has(ban)) throw bansFullError(this.#maxBans);
    this.current.put(ban);
    for (const listener of this.#listeners) listener.onBan(ban);
  }

  async remove(key: BanKey): Promise<void> {
    this.#assertOpen();
    this.current.remove(key);
  }

  watch(listener: BanListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
  }

  /** Only bans that come make the list grow, so only they have it looked through. */
  #dropEnded(nowS: number): void {
    const now = this.#clock.monotonic();
    const periodMs = this.current.size < this.#maxBans ? DROP_ENDED_MS : DROP_ENDED_WHEN_FULL_MS;
    if (now - this.#droppedAt < periodMs) return;
    this.#droppedAt = now;
    this.current.dropEnded(nowS);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OperationalError('bans_closed', 'bans are closed', { retriable: false });
  }
}

export function bansFullError(maxBans: number): OperationalError {
  return new OperationalError('bans_full', `${maxBans} bans are stored, no more are taken`);
}
