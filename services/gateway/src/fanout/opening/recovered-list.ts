import type { Publication } from '@carillon/protocol/client';
import { isJsonPublication } from '../encode-push.ts';
import { createPatch, jsonStringOf, type DeltaPatch } from '../delta/delta-patch.ts';

const NO_DATA: Uint8Array = new Uint8Array(0);

interface KnownPatch {
  readonly base: Publication;
  readonly patch: DeltaPatch | undefined;
}

/**
 * Turns recovered publications into what the reply carries. The same publications are recovered by many subscribers after
 * an outage, so what was found out about one is remembered for as long as somebody else keeps it.
 */
export class RecoveredLists {
  readonly #isJson: WeakMap<Publication, boolean> = new WeakMap();
  readonly #patches: WeakMap<Publication, KnownPatch> = new WeakMap();

  /** Whether each payload may go to a JSON connection. */
  areJson(publications: readonly Publication[]): boolean {
    return publications.every((publication) => {
      let isJson = this.#isJson.get(publication);
      if (isJson === undefined) {
        isJson = isJsonPublication(publication);
        this.#isJson.set(publication, isJson);
      }
      return isJson;
    });
  }

  /** Plain copies, without what is internal (§2.5). */
  plain(publications: readonly Publication[]): Publication[] {
    return publications.map(({ data, info, offset, tags, version }) => ({ data, info, offset, tags, version }));
  }

  /** The first in full, each other one a patch against its predecessor where that is shorter (§5.2, §5.3). */
  chained(publications: readonly Publication[], encoding: 'json' | 'protobuf'): Publication[] {
    let previous: Publication | undefined;
    return publications.map((publication) => {
      const patch = previous === undefined ? undefined : this.#patchBetween(previous, publication);
      previous = publication;
      return chainLink(publication, patch, encoding);
    });
  }

  #patchBetween(base: Publication, publication: Publication): DeltaPatch | undefined {
    const known = this.#patches.get(publication);
    if (known !== undefined && known.base === base) return known.patch;
    const patch = createPatch(base.data ?? NO_DATA, publication.data ?? NO_DATA);
    this.#patches.set(publication, { base, patch });
    return patch;
  }
}

function chainLink(
  { data = NO_DATA, info, offset, tags }: Publication,
  patch: DeltaPatch | undefined,
  encoding: 'json' | 'protobuf',
): Publication {
  const isUsable = patch !== undefined && (encoding === 'protobuf' || patch.isText);
  const bytes = isUsable ? patch.bytes : data;
  return {
    data: encoding === 'json' ? jsonStringOf(bytes) : bytes,
    info,
    offset,
    tags,
    delta: isUsable ? true : undefined,
  };
}
