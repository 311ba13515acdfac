import type { Publication } from '@carillon/protocol/client';
import type { OffsetRange } from '../log/history-range.ts';
import { RecentRing, RingBudget } from '../live/recent-ring.ts';

export interface VisitedChannelsOptions {
  /** Payload bytes over all channels. */
  readonly maxBytes?: number | undefined;
  readonly maxChannels?: number | undefined;
}

export interface VisitedPage {
  readonly epoch: string;
  /** Offset of the first of the publications, which are contiguous. */
  readonly from: number;
  readonly publications: readonly Publication[];
  /** That the namespace keeps. */
  readonly maxPublications: number;
}

interface Visited {
  readonly epoch: string;
  readonly ring: RecentRing;
}

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_CHANNELS = 2_000;

/**
 * What was read of channels that this node has not joined. Publications never change, so they answer the next read for
 * which the newest record of the log says that they are still to be seen; it says too which ones came since.
 */
export class VisitedChannels {
  readonly #budget: RingBudget;
  readonly #maxChannels: number;
  /** The one that was used longest ago first. */
  readonly #channels: Map<string, Visited> = new Map();

  constructor({ maxBytes = MAX_BYTES, maxChannels = MAX_CHANNELS }: VisitedChannelsOptions = {}) {
    this.#budget = new RingBudget(maxBytes);
    this.#maxChannels = maxChannels;
  }

  get size(): number {
    return this.#channels.size;
  }

  get usedBytes(): number {
    return this.#budget.usedBytes;
  }

  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /** The same list for the same range, as `RecentRing.slice`; undefined when some of it are not here. */
  recent(channel: string, epoch: string, range: OffsetRange, isReversed: boolean): readonly Publication[] | undefined {
    const visited = this.#channels.get(channel);
    if (visited?.epoch !== epoch) return undefined;
    this.#channels.delete(channel);
    this.#channels.set(channel, visited);
    return visited.ring.slice(range, isReversed);
  }

  /** The end of the range that must be read when its beginning is here; else all of it. */
  missing(channel: string, epoch: string, range: OffsetRange): OffsetRange {
    const visited = this.#channels.get(channel);
    if (visited?.epoch !== epoch) return range;
    const { first, end } = visited.ring;
    return first <= range.from && end > range.from ? { from: Math.min(end, range.to), to: range.to } : range;
  }

  /** Adds to what is known of the channel. Of what does not fit together the newer stays. */
  keep(channel: string, { epoch, from, publications, maxPublications }: VisitedPage): void {
    if (publications.length === 0) return;
    const known = this.#channels.get(channel);
    const visited = known?.epoch === epoch ? known : { epoch, ring: new RecentRing(this.#budget) };
    if (visited !== known) this.#forget(channel);
    this.#channels.delete(channel);
    this.#makeRoom();
    this.#channels.set(channel, visited);
    const { ring } = visited;
    if (ring.end > ring.first && from + publications.length < ring.first) return;
    if (from < ring.first) ring.prepend(from, publications.slice(0, ring.first - from), maxPublications);
    for (const [index, publication] of publications.entries()) {
      if (from + index >= ring.end) ring.append(from + index, publication, maxPublications);
    }
  }

  #makeRoom(): void {
    for (const oldest of this.#channels.keys()) {
      if (this.#channels.size < this.#maxChannels && this.#budget.usedBytes <= this.#budget.maxBytes * ROOM) return;
      this.#forget(oldest);
    }
  }

  #forget(channel: string): void {
    this.#channels.get(channel)?.ring.clear(1);
    this.#channels.delete(channel);
  }
}

/** A page is small beside the budget: with so much of it free, a ring need not drop what has just been read. */
const ROOM = 0.9;
