import type { PresenceStatsRequest, PresenceStatsResult } from '@carillon/protocol/api';
import { requirePresence } from './require-presence.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';

/** `presence_stats` (server-api §7.7). */
export function createPresenceStats({
  presence,
  channels,
}: Pick<MethodDeps, 'presence' | 'channels'>): MethodHandler<PresenceStatsRequest, PresenceStatsResult> {
  return async ({ channel }) => presence.stats(requirePresence(channel, channels()));
}
