import { createConnectCommand, type Connect } from './command/connect/connect.ts';
import type { Handlers } from './command/dispatch.ts';
import { createHistory } from './command/history.ts';
import { createPresence, createPresenceStats } from './command/presence.ts';
import { createPublish } from './command/publish.ts';
import { createRefresh, type RefreshDeps } from './command/refresh.ts';
import { createRpc } from './command/rpc.ts';
import { createSubRefresh, type SubRefreshDeps } from './command/subscribe/sub-refresh.ts';
import { createSubscribe, type SubscribeDeps } from './command/subscribe/subscribe.ts';
import { createUnsubscribe, type UnsubscribeDeps } from './command/subscribe/unsubscribe.ts';
import type { CommandDeps } from './command/command-deps.ts';

export type ComposeCommandsDeps = CommandDeps & RefreshDeps & SubRefreshDeps & SubscribeDeps & UnsubscribeDeps;

/** The handler of every client command. */
export function composeCommands(connect: Connect, deps: ComposeCommandsDeps): Handlers {
  return {
    connect: createConnectCommand(connect),
    subscribe: createSubscribe(deps),
    unsubscribe: createUnsubscribe(deps),
    publish: createPublish(deps),
    presence: createPresence(deps),
    presenceStats: createPresenceStats(deps),
    history: createHistory(deps),
    rpc: createRpc(deps),
    refresh: createRefresh(deps),
    subRefresh: createSubRefresh(deps),
  };
}
