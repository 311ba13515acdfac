import type { NodeRecord } from '../../control.ts';
import { hashText, mixBits } from '../subject/subject-token.ts';

/**
 * The living node that writes a channel: the highest of all hashes of node and channel, so that a node that comes or goes
 * moves only its own channels. Undefined when no node of a fit role lives.
 */
export function ownerOf(channel: string, nodes: readonly NodeRecord[]): string | undefined {
  let owner: string | undefined;
  let highest = -1;
  const channelHash = hashText(channel);
  for (const { id, role } of nodes) {
    if (role !== 'api' && role !== 'standalone') continue;
    const weight = mixBits(channelHash ^ hashText(id));
    if (weight > highest || (weight === highest && owner !== undefined && id < owner)) {
      owner = id;
      highest = weight;
    }
  }
  return owner;
}
