import { createHash } from 'node:crypto';
import type { StreamPosition } from '@carillon/protocol/channel';

interface Remembered {
  readonly position: StreamPosition;
  readonly expiresAt: number;
}

/** Positions by channel and key that this node has written: spares the question to the log. The log's answer counts. */
export class IdempotencyWindow {
  readonly #ttlMs: number;
  readonly #maxKeys: number;
  readonly #results: Map<string, Remembered> = new Map();

  constructor(ttlMs: number, maxKeys: number) {
    this.#ttlMs = ttlMs;
    this.#maxKeys = maxKeys;
  }

  /** @param nowMs on the monotonic clock, as in `remember`. */
  find(channel: string, key: string, nowMs: number): StreamPosition | undefined {
    const found = this.#results.get(nameOf(channel, key));
    return found === undefined || found.expiresAt <= nowMs ? undefined : found.position;
  }

  remember(channel: string, key: string, position: StreamPosition, nowMs: number): void {
    const name = nameOf(channel, key);
    // All live equally long, so the map is in the order of expiry as long as a repeated key moves to its end.
    this.#results.delete(name);
    this.#results.set(name, { position, expiresAt: nowMs + this.#ttlMs });
    for (const [oldest, { expiresAt }] of this.#results) {
      if (expiresAt > nowMs && this.#results.size <= this.#maxKeys) break;
      this.#results.delete(oldest);
    }
  }
}

function nameOf(channel: string, key: string): string {
  return `${channel.length}:${channel}${key}`;
}

/** The id of the record with a key. Fit for a header, whatever the channel and key hold, and the same on every node. */
export function messageIdOf(channel: string, key: string): string {
  return createHash('sha256').update(`${channel.length}:${channel}${key}`).digest('base64url').slice(0, 32);
}
