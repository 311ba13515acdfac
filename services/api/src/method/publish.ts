import type { PublishRequest, PublishResult } from '@carillon/protocol/api';
import { API_BAD_REQUEST, ApiError } from '@carillon/protocol/codes';
import { knownChannel } from './request/channel-lookup.ts';
import type { MethodDeps, MethodHandler } from './method-deps.ts';
import { publishResult, publishTo } from './publication.ts';
import { requestPayload } from './request/request-payload.ts';

/** `publish` (server-api §7.1). */
export function createPublish({
  broker,
  channels,
}: Pick<MethodDeps, 'broker' | 'channels'>): MethodHandler<PublishRequest, PublishResult> {
  // Not async: whoever calls awaits what is given back, and each promise more is work.
  return (request, call) => {
    const settings = channels();
    const { channel: name = '' } = request;
    if (name === '') throw new ApiError(API_BAD_REQUEST);
    const data = requestPayload(request.data, request.b64data);
    const channel = knownChannel(name, settings.rules);
    const type = channel.options.subscriptionType;
    if (type !== '' && type !== 'stream') throw new ApiError(API_BAD_REQUEST);
    return publishTo(channel, { broker, channels: settings, options: request, data, call }).then(publishResult);
  };
}
