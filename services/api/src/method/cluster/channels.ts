import type { ChannelsRequest, ChannelsResult } from '@carillon/protocol/api';
import { compileChannelPattern } from '@carillon/protocol/channel';
import { API_INTERNAL_ERROR, ApiError } from '@carillon/protocol/codes';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { surveyAll } from './survey.ts';

/** `channels` (server-api §7.12): asks every node; one that is silent fails the call. */
export function createChannels({
  control,
}: Pick<MethodDeps, 'control'>): MethodHandler<ChannelsRequest, ChannelsResult> {
  return async ({ pattern = '' }) => {
    // compat: a malformed pattern is an internal error, as each node would fail on it.
    if (compileChannelPattern(pattern) === undefined) throw new ApiError(API_INTERNAL_ERROR);
    const answers = await surveyAll(control, { kind: 'channels', pattern });
    const sums = subscribersByChannel(answers.map(({ channels }) => channels));
    return { channels: Object.fromEntries([...sums].map(([name, n]) => [name, { numClients: n }])) };
  };
}

function subscribersByChannel(nodes: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const channels of nodes) {
    for (const [channel, count] of channels) {
      if (count > 0) sums.set(channel, (sums.get(channel) ?? 0) + count);
    }
  }
  return sums;
}
