import type { Publication } from '@carillon/protocol/client';
import type { OffsetRange } from '../log/history-range.ts';

/** Bytes of payload over all rings of a node. */
export class RingBudget {
  readonly maxBytes: number;
  usedBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }
}

const MAX_PUBLICATIONS = 512;
const MAX_BYTES = 1_024 * 1_024;
/** What an entry costs beside its payload, about. */
const ENTRY_BYTES = 200;
/** Slices that are remembered: what many ask for, forwards or backwards. */
const MAX_SLICES = 2;

interface Slice {
  readonly from: number;
  readonly to: number;
  readonly publications: readonly Publication[];
  reversed: readonly Publication[] | undefined;
}

/** The newest publications of a joined channel, without a hole: recoveries that it covers cost no read. */
export class RecentRing {
  readonly #budget: RingBudget;
  #publications: Publication[] = [];
  /** Offset of the first one; the next expected one when empty. */
  #first = 1;
  #bytes = 0;
  /** Newest first. */
  #slices: Slice[] = [];

  constructor(budget: RingBudget) {
    this.#budget = budget;
  }

  get first(): number {
    return this.#first;
  }

  /** Offset after the last one. */
  get end(): number {
    return this.#first + this.#publications.length;
  }

  append(offset: number, publication: Publication, maxPublications: number): void {
    if (offset !== this.end) this.clear(offset);
    this.#publications.push(publication);
    this.#count(sizeOf(publication));
    while (this.#isTooLarge(maxPublications)) this.#dropFirst();
  }

  /** Puts older ones before the ring when they end where it begins, as far as there is room. */
  prepend(offset: number, older: readonly Publication[], maxPublications: number): void {
    if (offset + older.length !== this.#first) return;
    for (const publication of older.toReversed()) {
      const size = sizeOf(publication);
      if (this.#publications.length + 1 > Math.min(maxPublications, MAX_PUBLICATIONS)) return;
      if (this.#bytes + size > MAX_BYTES || this.#budget.usedBytes + size > this.#budget.maxBytes) return;
      this.#publications.unshift(publication);
      this.#first -= 1;
      this.#count(size);
    }
  }

  /** Forgets what is below the offset. */
  raiseFloor(offset: number): void {
    while (this.#first < offset && this.#publications.length > 0) this.#dropFirst();
  }

  /** Begins anew, empty, before `next`. */
  clear(next: number): void {
    this.#count(-this.#bytes);
    this.#publications = [];
    this.#slices = [];
    this.#first = next;
  }

  /**
   * Undefined when some of the range are not here. Who asks for the same range again gets the same list, as long as the
   * ring has all of it: what was made of the list can be used again.
   */
  slice(range: OffsetRange, isReversed = false): readonly Publication[] | undefined {
    const { from, to } = range;
    if (from > to) return [];
    if (from < this.#first || to >= this.end) return undefined;
    const slice = this.#sliceOf(range);
    return isReversed ? (slice.reversed ??= slice.publications.toReversed()) : slice.publications;
  }

  #sliceOf({ from, to }: OffsetRange): Slice {
    const known = this.#slices.find((slice) => slice.from === from && slice.to === to);
    if (known !== undefined) return known;
    const publications = this.#publications.slice(from - this.#first, to - this.#first + 1);
    const slice: Slice = { from, to, publications, reversed: undefined };
    this.#slices.unshift(slice);
    if (this.#slices.length > MAX_SLICES) this.#slices.pop();
    return slice;
  }

  #isTooLarge(maxPublications: number): boolean {
    const length = this.#publications.length;
    if (length > Math.min(maxPublications, MAX_PUBLICATIONS)) return true;
    // The newest stays in any case: it answers most.
    return length > 1 && (this.#bytes > MAX_BYTES || this.#budget.usedBytes > this.#budget.maxBytes);
  }

  #dropFirst(): void {
    const dropped = this.#publications.shift();
    if (dropped === undefined) return;
    this.#first += 1;
    this.#count(-sizeOf(dropped));
    // They would keep it.
    if (this.#slices.some(({ from }) => from < this.#first)) this.#slices = [];
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.usedBytes += bytes;
  }
}

function sizeOf(publication: Publication): number {
  return (publication.data?.length ?? 0) + ENTRY_BYTES;
}
