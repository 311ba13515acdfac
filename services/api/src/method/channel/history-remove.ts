import type { HistoryRemoveRequest, HistoryRemoveResult } from '@carillon/protocol/api';
import { requireChannel, requireRetention } from '../request/channel-lookup.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';

/** `history_remove` (server-api §7.9). */
export function createHistoryRemove({
  broker,
  channels,
}: Pick<MethodDeps, 'broker' | 'channels'>): MethodHandler<HistoryRemoveRequest, HistoryRemoveResult> {
  return async (request) => {
    const settings = channels();
    const channel = requireChannel(request.channel, settings);
    await broker.removeHistory(channel.name, requireRetention(channel.options, settings));
    return {};
  };
}
