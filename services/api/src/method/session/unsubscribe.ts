import type { UnsubscribeRequest, UnsubscribeResult } from '@carillon/protocol/api';
import { UNSUBSCRIBE_SERVER } from '@carillon/protocol/codes';
import { knownChannel } from '../request/channel-lookup.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { commandSessions } from './command-sessions.ts';
import { selectSessions } from './select-sessions.ts';

/**
 * `unsubscribe` (server-api §7.4).
 * compat: an empty channel is accepted and is not "all channels": clients get a push that names no channel.
 */
export function createUnsubscribe({
  control,
  channels,
}: Pick<MethodDeps, 'control' | 'channels'>): MethodHandler<UnsubscribeRequest, UnsubscribeResult> {
  return async (request) => {
    const { name: channel } = knownChannel(request.channel ?? '', channels().rules);
    await commandSessions(control, {
      kind: 'unsubscribe',
      select: selectSessions(request),
      channel,
      ...UNSUBSCRIBE_SERVER,
    });
    return {};
  };
}
