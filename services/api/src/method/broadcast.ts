import type { BroadcastRequest, BroadcastResult, PublishResponse } from '@carillon/protocol/api';
import { API_BAD_REQUEST, ApiError } from '@carillon/protocol/codes';
import { requireChannel } from './request/channel-lookup.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { MethodDeps, MethodHandler } from './method-deps.ts';
import { publishResult, publishTo, type Publishing } from './publication.ts';
import { requestPayload } from './request/request-payload.ts';
import { toErrorBody, type ReportFailure } from './failure/to-error-body.ts';

/** Publishes of one call that are under way at a time. */
const MAX_CONCURRENT_PUBLISHES = 1_024;

/**
 * `broadcast` (server-api §7.2): a response for each channel, in the order of the request.
 * compat: unlike `publish` it does not look at the subscription type of the namespace.
 */
export function createBroadcast(
  { broker, channels }: Pick<MethodDeps, 'broker' | 'channels'>,
  reportFailure: ReportFailure,
): MethodHandler<BroadcastRequest, BroadcastResult> {
  const publishOne = async (name: string, publishing: Publishing): Promise<PublishResponse> => {
    try {
      return { result: publishResult(await publishTo(requireChannel(name, publishing.channels), publishing)) };
    } catch (error) {
      return { error: toErrorBody(error, reportFailure) };
    }
  };
  return async (request, call) => {
    const { channels: names = [], ...options } = request;
    if (names.length === 0) throw new ApiError(API_BAD_REQUEST);
    const data = requestPayload(request.data, request.b64data);
    const publishing: Publishing = { broker, channels: channels(), options, data, call };
    const publishNamed = (name: string): Promise<PublishResponse> => publishOne(name, publishing);
    return { responses: await mapConcurrently(names, MAX_CONCURRENT_PUBLISHES, publishNamed) };
  };
}
