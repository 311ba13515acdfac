import type { Publication } from '@carillon/protocol/client';

export interface PendingLimits {
  readonly maxPublications: number;
  readonly maxBytes: number;
}

/**
 * Live publications of one channel, kept while subscribers are opening, so that what the read of a recovering one does
 * not cover is not lost. Shared by all openings of the channel.
 *
 * invariant: what is kept is contiguous and ends at the newest publication, or there is nothing.
 */
export class PendingPublications {
  readonly #limits: PendingLimits;
  #publications: Publication[] = [];
  #bytes = 0;

  constructor(limits: PendingLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#publications.length;
  }

  /** Keeps one; false when the bound made it drop everything, this one too. */
  push(publication: Publication): boolean {
    const newest = this.#publications.at(-1);
    if (newest !== undefined && offsetOf(publication) !== offsetOf(newest) + 1) this.clear();
    this.#bytes += publication.data?.byteLength ?? 0;
    if (this.#publications.length >= this.#limits.maxPublications || this.#bytes > this.#limits.maxBytes) {
      this.clear();
      return false;
    }
    this.#publications.push(publication);
    return true;
  }

  /** Every publication above `offset` up to `top`, or undefined when one of them is not here. */
  between(offset: number, top: number): readonly Publication[] | undefined {
    if (top <= offset) return [];
    const oldest = this.#publications[0];
    if (oldest === undefined || offsetOf(oldest) > offset + 1) return undefined;
    const newest = this.#publications.at(-1);
    if (newest === undefined || offsetOf(newest) !== top) return undefined;
    return this.#publications.slice(offset + 1 - offsetOf(oldest));
  }

  clear(): void {
    if (this.#publications.length > 0) this.#publications = [];
    this.#bytes = 0;
  }
}

function offsetOf(publication: Publication): number {
  return publication.offset ?? 0;
}
