import type { NodeRecord } from '../../control.ts';
import { hashText, mixBits } from '../subject/subject-token.ts';

interface Candidate {
  readonly id: string;
  readonly hash: number;
}

/**
 * The living node that writes a channel: the highest of all hashes of node and channel, so that a node that comes or goes
 * moves only its own channels. Undefined when no node of a fit role lives.
 */
export function ownerOf(channel: string, nodes: readonly NodeRecord[]): string | undefined {
  return highestOf(channel, candidatesOf(nodes));
}

/** The same for who asks often: what follows from the nodes alone is worked out once for each list of them. */
export class ChannelOwners {
  readonly #nodes: () => readonly NodeRecord[];
  #known: readonly NodeRecord[] | undefined;
  #candidates: readonly Candidate[] = [];

  /** `nodes` gives the same list as before while nothing has changed. */
  constructor(nodes: () => readonly NodeRecord[]) {
    this.#nodes = nodes;
  }

  of(channel: string): string | undefined {
    const nodes = this.#nodes();
    if (nodes !== this.#known) {
      this.#known = nodes;
      this.#candidates = candidatesOf(nodes);
    }
    return highestOf(channel, this.#candidates);
  }
}

function candidatesOf(nodes: readonly NodeRecord[]): Candidate[] {
  return nodes
    .filter(({ role }) => role === 'api' || role === 'standalone')
    .map(({ id }) => ({ id, hash: hashText(id) }));
}

function highestOf(channel: string, candidates: readonly Candidate[]): string | undefined {
  let owner: string | undefined;
  let highest = -1;
  const channelHash = hashText(channel);
  for (const { id, hash } of candidates) {
    const weight = mixBits(channelHash ^ hash);
    if (weight > highest || (weight === highest && owner !== undefined && id < owner)) {
      owner = id;
      highest = weight;
    }
  }
  return owner;
}
