import { canonicalFilterKey, compileFilter } from '@carillon/protocol/channel';
import type { FilterNode, Publication } from '@carillon/protocol/client';

type Tags = Readonly<Record<string, string>>;

const NO_TAGS: Tags = {};

/** One distinct filter of a channel, shared by every group of subscribers that asked for it (client-protocol §6). */
export class TagsFilter {
  readonly key: string;
  /** Groups and openings that use it. */
  users = 0;
  readonly #matches: (tags: Tags) => boolean;
  #sequence = -1;
  #verdict = false;

  constructor(key: string, node: FilterNode) {
    this.key = key;
    this.#matches = compileFilter(node);
  }

  matches(publication: Publication): boolean {
    return this.#matches(publication.tags ?? NO_TAGS);
  }

  /** As `matches`, evaluated once for all who ask with the same sequence number of a delivery. */
  passes(publication: Publication, sequence: number): boolean {
    if (this.#sequence !== sequence) {
      this.#sequence = sequence;
      this.#verdict = this.matches(publication);
    }
    return this.#verdict;
  }
}

/** The distinct filters in use on one channel: at most one for each subscription. */
export class TagsFilters {
  readonly #filters: Map<string, TagsFilter> = new Map();

  get size(): number {
    return this.#filters.size;
  }

  /** The filter of this channel that means the same, or a new one. Each call needs one `release`. */
  acquire(node: FilterNode): TagsFilter {
    const key = canonicalFilterKey(node);
    let filter = this.#filters.get(key);
    if (filter === undefined) {
      filter = new TagsFilter(key, node);
      this.#filters.set(key, filter);
    }
    filter.users += 1;
    return filter;
  }

  release(filter: TagsFilter): void {
    filter.users -= 1;
    if (filter.users === 0) this.#filters.delete(filter.key);
  }
}
