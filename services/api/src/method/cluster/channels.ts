import type { SurveyResult } from '@carillon/cluster';
import type { ChannelsRequest, ChannelsResult } from '@carillon/protocol/api';
import { compileChannelPattern } from '@carillon/protocol/channel';
import { API_INTERNAL_ERROR, ApiError } from '@carillon/protocol/codes';
import { OperationalError } from '@carillon/service-kit';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';

const SURVEY_DEADLINE_MS = 10_000;

/** `channels` (server-api §7.12): asks every node; one that is silent fails the call. */
export function createChannels({
  control,
}: Pick<MethodDeps, 'control'>): MethodHandler<ChannelsRequest, ChannelsResult> {
  return async ({ pattern = '' }) => {
    // compat: a malformed pattern is an internal error, as each node would fail on it.
    if (compileChannelPattern(pattern) === undefined) throw new ApiError(API_INTERNAL_ERROR);
    const survey = await control.survey({ kind: 'channels', pattern }, SURVEY_DEADLINE_MS);
    if (survey.missing.length > 0) {
      throw new OperationalError('survey_incomplete', `no answer from ${survey.missing.join(', ')}`);
    }
    return {
      channels: Object.fromEntries([...subscribersByChannel(survey)].map(([name, n]) => [name, { numClients: n }])),
    };
  };
}

function subscribersByChannel({ answers }: SurveyResult): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const answer of answers) {
    if (answer.kind !== 'channels') continue;
    for (const [channel, count] of answer.channels) {
      if (count > 0) sums.set(channel, (sums.get(channel) ?? 0) + count);
    }
  }
  return sums;
}
