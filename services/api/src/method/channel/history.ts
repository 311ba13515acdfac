import type { HistoryRequest, HistoryResult } from '@carillon/protocol/api';
import { requireChannel, requireRetention } from '../request/channel-lookup.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';

/** `history` (server-api §7.8): no limit of the server applies. */
export function createHistory({
  broker,
  channels,
}: Pick<MethodDeps, 'broker' | 'channels'>): MethodHandler<HistoryRequest, HistoryResult> {
  return async (request) => {
    const settings = channels();
    const channel = requireChannel(request.channel, settings);
    const retention = requireRetention(channel.options, settings);
    const { since } = request;
    const { publications, top } = await broker.history(channel.name, {
      retention,
      limit: request.limit ?? 0,
      since: since && { offset: since.offset ?? 0, epoch: since.epoch ?? '' },
      reverse: request.reverse,
    });
    return { publications, epoch: top.epoch, offset: top.offset };
  };
}
