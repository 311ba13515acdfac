import type { ApiMethod, ApiMethods, BatchField } from '@carillon/protocol/api';
import { createBroadcast } from './broadcast.ts';
import { createChannels } from './channels.ts';
import { createDisconnect } from './disconnect.ts';
import { createHistory } from './history.ts';
import { createHistoryRemove } from './history-remove.ts';
import { createInfo } from './info.ts';
import { createMapMethods } from './map-methods.ts';
import type { MethodDeps, MethodHandler } from './method-deps.ts';
import { createPresence } from './presence.ts';
import { createPresenceStats } from './presence-stats.ts';
import { createPublish } from './publish.ts';
import { createRefresh } from './refresh.ts';
import { createRpc } from './rpc.ts';
import { createSharedPollPublish } from './shared-poll-publish.ts';
import { createSubscribe } from './subscribe.ts';
import type { ReportFailure } from './to-error-body.ts';
import { createUnsubscribe } from './unsubscribe.ts';

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
    ...createMapMethods(deps),
    sharedPollPublish: createSharedPollPublish(deps),
  };
}
