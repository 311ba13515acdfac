import type { ApiMethod, ApiMethods, BatchField } from '@carillon/protocol/api';
import { createBlockUser } from './ban/block-user.ts';
import { createInvalidateUserTokens } from './ban/invalidate-user-tokens.ts';
import { createRevokeToken } from './ban/revoke-token.ts';
import { createUnblockUser } from './ban/unblock-user.ts';
import { createBroadcast } from './broadcast.ts';
import { createChannels } from './cluster/channels.ts';
import { createConnections } from './user/connections.ts';
import { createUserStatusMethods } from './user/user-status-methods.ts';
import { createDisconnect } from './session/disconnect.ts';
import { createHistory } from './channel/history.ts';
import { createHistoryRemove } from './channel/history-remove.ts';
import { createInfo } from './cluster/info.ts';
import { createMapMethods } from './map/map-methods.ts';
import type { MethodDeps, MethodHandler } from './method-deps.ts';
import { createPresence } from './channel/presence.ts';
import { createPresenceStats } from './channel/presence-stats.ts';
import { createPublish } from './publish.ts';
import { createRefresh } from './session/refresh.ts';
import { createRpc } from './cluster/rpc.ts';
import { createSharedPollPublish } from './map/shared-poll-publish.ts';
import { createSubscribe } from './session/subscribe.ts';
import type { ReportFailure } from './failure/to-error-body.ts';
import { createUnsubscribe } from './session/unsubscribe.ts';

type HandlerOf<Method> = Method extends ApiMethod<infer Request, infer Result> ? MethodHandler<Request, Result> : never;

/** A handler for each method of the protocol's table: one that is missing does not compile. */
export type MethodHandlers = { readonly [Field in BatchField]: HandlerOf<ApiMethods[Field]> };

export function createMethodHandlers(deps: MethodDeps, reportFailure: ReportFailure): MethodHandlers {
  return {
    publish: createPublish(deps),
    broadcast: createBroadcast(deps, reportFailure),
    subscribe: createSubscribe(deps),
    unsubscribe: createUnsubscribe(deps),
    disconnect: createDisconnect(deps),
    history: createHistory(deps),
    historyRemove: createHistoryRemove(deps),
    presence: createPresence(deps),
    presenceStats: createPresenceStats(deps),
    info: createInfo(deps),
    rpc: createRpc(),
    refresh: createRefresh(deps),
    channels: createChannels(deps),
    connections: createConnections(deps),
    ...createUserStatusMethods(deps),
    blockUser: createBlockUser(deps),
    unblockUser: createUnblockUser(deps),
    revokeToken: createRevokeToken(deps),
    invalidateUserTokens: createInvalidateUserTokens(deps),
    ...createMapMethods(deps),
    sharedPollPublish: createSharedPollPublish(deps),
  };
}
