import type { SubscribeRequest, SubscribeResult } from '@carillon/protocol/api';
import { requireChannel } from '../request/channel-lookup.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { requestPayload } from '../request/request-payload.ts';
import { commandSessions } from './command-sessions.ts';
import { selectSessions } from './select-sessions.ts';

/** `subscribe` (server-api §7.3): server-side subscription of connections that are there now. */
export function createSubscribe({
  control,
  channels,
}: Pick<MethodDeps, 'control' | 'channels'>): MethodHandler<SubscribeRequest, SubscribeResult> {
  return async (request) => {
    const channel = requireChannel(request.channel, channels());
    const { recoverSince: since } = request;
    await commandSessions(control, {
      kind: 'subscribe',
      select: selectSessions(request),
      channel: channel.name,
      expireAt: request.expireAt ?? 0,
      info: requestPayload(request.info, request.b64info),
      data: requestPayload(request.data, request.b64data),
      recoverSince: since && { offset: since.offset ?? 0, epoch: since.epoch ?? '' },
      override: request.override,
    });
    return {};
  };
}
