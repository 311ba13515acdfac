import type { ClientInfo } from '@carillon/protocol/client';
import { countPresence } from '../../presence-count.ts';
import type { PresenceStats } from '../../presence.ts';
import type { FollowedEntries } from './followed-channels.ts';

/** What counts for an entry: whether its node lives and is another one than this. */
export type IsCounted = (nodeId: string) => boolean;

interface Kept {
  readonly revision: number;
  /** How the nodes of the entries stood. */
  readonly nodes: ReadonlyMap<string, boolean>;
  readonly members: ReadonlyMap<string, ClientInfo>;
}

/**
 * The members of followed channels as they were answered last: the same map again while no entry came, went or changed and
 * no node of theirs came or went, so that who makes something of it can keep that too.
 */
export class KeptMembers {
  readonly #kept: WeakMap<FollowedEntries, Kept> = new WeakMap();
  readonly #stats: WeakMap<ReadonlyMap<string, ClientInfo>, PresenceStats> = new WeakMap();

  of(followed: FollowedEntries, isCounted: IsCounted): ReadonlyMap<string, ClientInfo> {
    const kept = this.#kept.get(followed);
    if (kept !== undefined && kept.revision === followed.revision && areAsBefore(kept.nodes, isCounted)) {
      return kept.members;
    }
    const nodes = new Map<string, boolean>();
    const members = new Map<string, ClientInfo>();
    for (const { nodeId, info } of followed) {
      let counts = nodes.get(nodeId);
      if (counts === undefined) {
        counts = isCounted(nodeId);
        nodes.set(nodeId, counts);
      }
      if (counts) members.set(info.client ?? '', info);
    }
    this.#kept.set(followed, { revision: followed.revision, nodes, members });
    return members;
  }

  /** Counted once for each map. */
  statsOf(members: ReadonlyMap<string, ClientInfo>): PresenceStats {
    let stats = this.#stats.get(members);
    if (stats === undefined) {
      stats = Object.freeze(countPresence(members.values()));
      this.#stats.set(members, stats);
    }
    return stats;
  }
}

function areAsBefore(nodes: ReadonlyMap<string, boolean>, isCounted: IsCounted): boolean {
  for (const [nodeId, counted] of nodes) {
    if (isCounted(nodeId) !== counted) return false;
  }
  return true;
}
