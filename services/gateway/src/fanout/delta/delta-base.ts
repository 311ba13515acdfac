import type { Publication } from '@carillon/protocol/client';
import { createPatch, type DeltaPatch } from './delta-patch.ts';

const NO_DATA: Uint8Array = new Uint8Array(0);

/**
 * The payload that every `ready` delta subscriber of a channel has: that of the stream's newest publication (§5.3).
 * Kept only while the channel has positioned delta subscribers.
 */
export class DeltaBase {
  #offset = 0;
  #data: Uint8Array | undefined = undefined;
  #isBroken = false;

  /** The patch from the base to the publication that follows it; undefined when it must go in full. */
  patchTo(publication: Publication): DeltaPatch | undefined {
    if (this.#isBroken || this.#data === undefined || publication.offset !== this.#offset + 1) return undefined;
    return createPatch(this.#data, publication.data ?? NO_DATA);
  }

  /** The publication was delivered, or is the last of a recovered list: clients have it now. */
  moveTo(publication: Publication): void {
    this.#offset = publication.offset ?? 0;
    this.#data = publication.data ?? NO_DATA;
    this.#isBroken = false;
  }

  /** A subscriber recovered up to this publication: take it unless it is known already. */
  offer(publication: Publication): void {
    if (publication.offset === this.#offset && this.#data !== undefined) return;
    this.#offset = publication.offset ?? 0;
    this.#data = publication.data ?? NO_DATA;
  }

  /** A publication outside the stream became the base of every client: the next one must go in full (§5.2 D8). */
  break(): void {
    this.#isBroken = true;
  }

  clear(): void {
    this.#offset = 0;
    this.#data = undefined;
    this.#isBroken = false;
  }
}
