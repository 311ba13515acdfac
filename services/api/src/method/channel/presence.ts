import type { PresenceRequest, PresenceResult } from '@carillon/protocol/api';
import { PresenceMembers } from './presence-members.ts';
import { requirePresence } from './require-presence.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';

/** `presence` (server-api §7.7). */
export function createPresence({
  presence,
  channels,
}: Pick<MethodDeps, 'presence' | 'channels'>): MethodHandler<PresenceRequest, PresenceResult> {
  return async ({ channel }) => new PresenceMembers(await presence.members(requirePresence(channel, channels())));
}
