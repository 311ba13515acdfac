import type { PublishResult } from '../broker.ts';
import { Ring } from './ring.ts';

/** How long a key is remembered (channels-and-config §2.3). */
export const IDEMPOTENCY_TTL_MS = 300_000;

interface Remembered {
  readonly id: string;
  readonly result: PublishResult;
  readonly expiresAt: number;
}

/**
 * First results of publishes by channel and idempotency key. All live equally long, so they leave in the order they came.
 * At most `maxKeys` are kept: beyond it the oldest is forgotten early, and a repeat of it would be published again.
 */
export class IdempotencyResults {
  readonly #maxKeys: number;
  readonly #byId: Map<string, Remembered> = new Map();
  readonly #inOrder: Ring<Remembered> = new Ring();

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The result of the first publish with the key within the last five minutes. */
  find(channel: string, key: string, now: number): PublishResult | undefined {
    this.expire(now);
    return this.#byId.get(resultId(channel, key))?.result;
  }

  /** Remembers a first result; the caller has looked for an earlier one. */
  remember(channel: string, key: string, result: PublishResult, now: number): void {
    if (this.#byId.size >= this.#maxKeys) this.#forgetOldest();
    const remembered = { id: resultId(channel, key), result, expiresAt: now + IDEMPOTENCY_TTL_MS };
    this.#byId.set(remembered.id, remembered);
    this.#inOrder.push(remembered);
  }

  expire(now: number): void {
    for (
      let oldest = this.#inOrder.at(0);
      oldest !== undefined && oldest.expiresAt <= now;
      oldest = this.#inOrder.at(0)
    ) {
      this.#forgetOldest();
    }
    if (this.#inOrder.size === 0) this.#inOrder.clear();
  }

  #forgetOldest(): void {
    const oldest = this.#inOrder.at(0);
    if (oldest === undefined) return;
    this.#byId.delete(oldest.id);
    this.#inOrder.dropFirst();
  }
}

/** Names and keys may hold any character: the length says where the name ends. */
function resultId(channel: string, key: string): string {
  return `${channel.length}:${channel}${key}`;
}
