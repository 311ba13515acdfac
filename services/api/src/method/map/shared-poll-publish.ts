import type { SharedPollPublishRequest, SharedPollPublishResult } from '@carillon/protocol/api';
import { API_BAD_REQUEST, API_NOT_AVAILABLE, ApiError } from '@carillon/protocol/codes';
import { requireChannel } from '../request/channel-lookup.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { requestPayload } from '../request/request-payload.ts';

/**
 * `shared_poll_publish` (server-api §7.15). No gateway of ours polls: a request that is in order is answered with error
 * 108, any other as documented.
 */
export function createSharedPollPublish({
  channels,
}: Pick<MethodDeps, 'channels'>): MethodHandler<SharedPollPublishRequest, SharedPollPublishResult> {
  return async ({ channel: name, key = '', version = 0, data, b64data }) => {
    if (key === '' || version === 0) throw new ApiError(API_BAD_REQUEST);
    const { options } = requireChannel(name, channels());
    if (options.subscriptionType !== 'shared_poll') throw new ApiError(API_BAD_REQUEST);
    if (options.sharedPoll.publishEnabled) requestPayload(data, b64data);
    throw new ApiError(API_NOT_AVAILABLE);
  };
}
