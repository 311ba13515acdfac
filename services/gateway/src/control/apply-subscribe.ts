import type { ControlCommand, Retention } from '@carillon/cluster';
import {
  isChannelLimitReached,
  NOTHING_REQUESTED,
  SUBSCRIPTION_SOURCE,
  subscriptionFeatures,
  type ChannelRules,
} from '@carillon/policy';
import type { ChannelOptions } from '@carillon/protocol/channel';
import { Disconnect, DISCONNECT_CHANNEL_LIMIT, DISCONNECT_SERVER_ERROR } from '@carillon/protocol/codes';
import { OperationalError, type Clock } from '@carillon/service-kit';
import { NO_CAPABILITIES } from '@carillon/policy';
import type { CloseConnection } from '../connection/close-connection.ts';
import type { OpenedState } from '../fanout/hub-port.ts';
import type { Session } from '../session/session.ts';
import type { Establish, ReadySubscription } from '../subscription/establish.ts';
import type { SubscribeAgain } from './subscribe-again.ts';
import { refreshByServer } from './refresh-by-server.ts';
import { subscribePush } from './subscribe-push.ts';

export type SubscribeControl = Extract<ControlCommand, { kind: 'subscribe' }>;

export interface ApplySubscribeDeps {
  readonly establish: Establish;
  readonly subscribeAgain: SubscribeAgain;
  readonly close: CloseConnection;
  readonly clock: Clock;
  readonly settings: () => {
    readonly channels: ChannelRules;
    readonly channelLimit: number;
    readonly recoveryLimit: number;
  };
  readonly retentionOf: (options: ChannelOptions) => Retention | undefined;
}

/** Subscribes one live connection on the server's behalf (server-api §7.3). Rejects where the API answers error 100. */
export function createApplySubscribe(
  deps: ApplySubscribeDeps,
): (session: Session, command: SubscribeControl) => Promise<void> {
  return async (session, command) => {
    // compat: before anything else, and also where the connection has the channel.
    if (isChannelLimitReached(session.channelCount, deps.settings())) {
      deps.close.disconnect(session, DISCONNECT_CHANNEL_LIMIT);
      return;
    }
    if (command.expireAt > 0 && command.expireAt <= deps.clock.now() / 1000) {
      throw new OperationalError('subscription_expired', 'expire_at is in the past', { retriable: false });
    }
    await session.opening.get(command.channel);
    const existing = session.subscriptions.get(command.channel);
    if (existing !== undefined) {
      await deps.subscribeAgain(session, existing, command);
      return;
    }
    const settled = Promise.withResolvers<void>();
    session.opening.set(command.channel, settled.promise);
    try {
      await subscribe(deps, session, command);
    } finally {
      session.opening.delete(command.channel);
      settled.resolve();
    }
  };
}

async function subscribe(deps: ApplySubscribeDeps, session: Session, command: SubscribeControl): Promise<void> {
  const { channels, recoveryLimit } = deps.settings();
  const channel = channels.resolve(command.channel);
  if (channel === undefined) {
    throw new OperationalError('unknown_channel', 'the namespace is not configured here', { retriable: false });
  }
  const features = subscriptionFeatures({
    channel,
    decidedBy: 'server',
    asker: { user: session.user, capabilities: NO_CAPABILITIES, insecure: false },
    subscriptionAllow: [],
    requested: NOTHING_REQUESTED,
    override: command.override,
  });
  const ready = await deps.establish(session, {
    channel,
    features,
    isServerSide: true,
    source: SUBSCRIPTION_SOURCE.serverApi,
    retention: deps.retentionOf(channel.options),
    recoveryLimit,
    recoverFrom: command.recoverSince,
    // compat: the mode of the namespace is not for this call (server-api §7.3).
    recoveryMode: 'stream',
    autoCacheRecover: false,
    info: command.info,
    expireAt: command.expireAt,
    refresh: refreshByServer(channel.options),
  });
  goLive(deps, session, { ready, command });
}

/** The push first, then what was recovered as ordinary pushes, which upstream loses (client-protocol §3.13). */
function goLive(
  deps: ApplySubscribeDeps,
  session: Session,
  { ready, command }: { readonly ready: ReadySubscription; readonly command: SubscribeControl },
): void {
  session.socket.batch(() => {
    let opened: OpenedState;
    try {
      opened = ready.finish();
    } catch (error) {
      const code = error instanceof Disconnect ? error : DISCONNECT_SERVER_ERROR;
      deps.close.disconnect(session, { code: code.code, reason: code.reason });
      return;
    }
    session.push({ channel: command.channel, subscribe: subscribePush(opened, command.data) });
    for (const pub of opened.publications) session.push({ channel: command.channel, pub });
    ready.announce();
  });
}
