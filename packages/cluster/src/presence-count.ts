import type { ClientInfo } from '@carillon/protocol/client';
import type { PresenceStats } from './presence.ts';

/** Entries and distinct users; all anonymous ones share the empty user id (channels-and-config §2.5). */
export function countPresence(members: Iterable<ClientInfo>): PresenceStats {
  let numClients = 0;
  const users = new Set<string>();
  for (const { user } of members) {
    numClients += 1;
    users.add(user ?? '');
  }
  return { numClients, numUsers: users.size };
}
