import { areJsonPublications, encodePublications, type ClientCodec, type Publication } from '@carillon/protocol/client';

export interface EncodedHistoriesOptions {
  /** Over all channels. */
  readonly maxBytes?: number | undefined;
}

type Kind = ClientCodec['kind'];

interface Entry {
  readonly publications: readonly Publication[];
  readonly encoded: Map<Kind, Uint8Array>;
  /** What the entry keeps alive, about. */
  bytes: number;
}

const MAX_BYTES = 16 * 1024 * 1024;
/** Payloads of a list. A larger one is encoded each time: a few of them would push out all others. */
const MAX_LIST_BYTES = 512 * 1024;

/**
 * What publications look like in a reply, for the lists that clients read again and again: the newest of each channel, and
 * only when it is asked for a second time. A list is known by its identity, so the broker must give the same one as long as
 * nothing changes, and one of its own for anything else.
 */
export class EncodedHistories {
  readonly #maxBytes: number;
  /** By channel, the one that was used longest ago first. */
  readonly #entries: Map<string, Entry> = new Map();
  readonly #seen: WeakSet<readonly Publication[]> = new WeakSet();
  #bytes = 0;

  constructor({ maxBytes = MAX_BYTES }: EncodedHistoriesOptions = {}) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are kept, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Undefined for a list that was not asked for before, that is too large to be kept, or that can't stand in JSON. */
  of(channel: string, publications: readonly Publication[], kind: Kind): Uint8Array | undefined {
    const entry = this.#entries.get(channel);
    const known = entry?.publications === publications ? entry : undefined;
    if (known === undefined && !this.#isWorthKeeping(publications)) return undefined;
    const ready = known?.encoded.get(kind);
    if (ready === undefined && kind === 'json' && !areJsonPublications(publications)) return undefined;
    const encoded = ready ?? encodePublications(kind, publications);
    this.#keep(channel, known ?? { publications, encoded: new Map(), bytes: 0 }, { kind, encoded });
    return encoded;
  }

  #isWorthKeeping(publications: readonly Publication[]): boolean {
    if (!this.#seen.has(publications)) {
      this.#seen.add(publications);
      return false;
    }
    let bytes = 0;
    for (const { data } of publications) bytes += data?.length ?? 0;
    return bytes > 0 && bytes <= MAX_LIST_BYTES;
  }

  #keep(channel: string, entry: Entry, { kind, encoded }: { readonly kind: Kind; readonly encoded: Uint8Array }): void {
    this.#forget(channel);
    if (!entry.encoded.has(kind)) {
      entry.encoded.set(kind, encoded);
      // Once for these bytes, once for the publications, which the broker may have let go.
      entry.bytes += encoded.length * 2;
    }
    this.#entries.set(channel, entry);
    this.#bytes += entry.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forget(oldest);
    }
  }

  #forget(channel: string): void {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return;
    this.#entries.delete(channel);
    this.#bytes -= entry.bytes;
  }
}
