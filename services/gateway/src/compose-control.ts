import type { BanStore, Broker, ControlHandler } from '@carillon/cluster';
import type { ChannelOptions } from '@carillon/protocol/channel';
import type { Clock } from '@carillon/service-kit';
import type { GatewaySettings } from './command/gateway-settings.ts';
import { retentionOf } from './command/retention.ts';
import type { CloseConnection } from './connection/close-connection.ts';
import type { ConnectionTimers } from './connection/connection-timers.ts';
import type { EmulatedSessions } from './connection/emulated-sessions.ts';
import { createApplyControl } from './control/apply-control.ts';
import { createApplySubscribe } from './control/apply-subscribe.ts';
import { createSubscribeAgain } from './control/subscribe-again.ts';
import { createSweepBans } from './control/sweep-bans.ts';
import type { ChannelHub } from './fanout/hub-port.ts';
import type { SessionTable } from './session/session-table.ts';
import type { Background } from './subscription/background.ts';
import type { Establish } from './subscription/establish.ts';
import type { RenewPresence } from './subscription/renew-presence.ts';
import type { SubscriptionExpiry } from './subscription/subscription-expiry.ts';
import type { UnsubscribeByServer } from './subscription/unsubscribe-by-server.ts';

export interface ComposeControlDeps {
  readonly bans: BanStore;
  readonly broker: Broker;
  readonly hub: ChannelHub;
  readonly sessions: SessionTable;
  readonly close: CloseConnection;
  readonly timers: ConnectionTimers;
  readonly unsubscribe: UnsubscribeByServer;
  readonly renewPresence: RenewPresence;
  readonly establish: Establish;
  readonly expiry: SubscriptionExpiry;
  readonly background: Background;
  readonly emulated: EmulatedSessions;
  readonly settings: () => GatewaySettings;
  readonly clock: Clock;
}

/** What others make this node do to its sessions: by commands, and by bans. */
export function composeControl(deps: ComposeControlDeps): { readonly handler: ControlHandler; stop(): void } {
  const { settings, emulated } = deps;
  const withRetention = {
    ...deps,
    retentionOf: (options: ChannelOptions) => retentionOf(options, settings().defaultHistoryMetaTtlMs),
  };
  const subscribe = createApplySubscribe({ ...withRetention, subscribeAgain: createSubscribeAgain(withRetention) });
  const handler = createApplyControl({
    ...deps,
    subscribe,
    expiredCloseDelayMs: () => settings().expiredCloseDelayMs,
    emulate: (session, frame) => emulated.receive(session, frame),
  });
  return { handler, stop: createSweepBans(deps) };
}
