import type { Broker, Presence, Retention } from '@carillon/cluster';
import type { ChannelFacts, SubscriptionFeatures, SubscriptionSource } from '@carillon/policy';
import type { StreamPosition } from '@carillon/protocol/channel';
import type { FilterNode } from '@carillon/protocol/client';
import { Disconnect, DISCONNECT_CONNECTION_CLOSED, DISCONNECT_SERVER_ERROR } from '@carillon/protocol/codes';
import type { ChannelHub, OpenedState, OpenSubscription } from '../fanout/hub-port.ts';
import type { Session } from '../session/session.ts';
import type { Subscription, SubscriptionRefresh } from '../session/subscription.ts';
import type { ConnectionMetrics } from '../connection/connection-metrics.ts';
import type { Background } from './background.ts';
import type { ClientStream } from './client-stream.ts';
import type { SubscriptionExpiry } from './subscription-expiry.ts';

/** What a decided subscription is to be; the decision itself was somebody else's. */
export interface EstablishRequest {
  readonly channel: ChannelFacts;
  readonly features: SubscriptionFeatures;
  readonly isServerSide: boolean;
  readonly source: SubscriptionSource;
  readonly retention: Retention | undefined;
  readonly recoveryLimit: number;
  readonly recoverFrom?: StreamPosition | undefined;
  /** Default: as the namespace says. */
  readonly recoveryMode?: 'stream' | 'cache' | undefined;
  readonly autoCacheRecover: boolean;
  readonly rejectUnrecovered?: boolean | undefined;
  readonly filter?: FilterNode | undefined;
  readonly info?: Uint8Array | undefined;
  /** Unix seconds; 0 = never. */
  readonly expireAt: number;
  readonly refresh: SubscriptionRefresh;
  readonly allow?: readonly string[] | undefined;
  /** Feeds the subscription, besides what others send to the channel. Closed if it does not come to that. */
  readonly stream?: ClientStream | undefined;
  readonly tokenId?: string | undefined;
  readonly tokenIssuedAt?: number | undefined;
}

/** A subscription that waits for its reply to be written. Exactly one of `finish` and `abandon` must be called. */
export interface ReadySubscription {
  /**
   * Goes live: call it in the turn in which the reply is sent, then `announce` after the reply.
   * Throws what `OpenSubscription.finish` throws; everything is undone then.
   */
  finish(): OpenedState;
  /** Publishes the join and starts the expiry: after the reply (§3.14: own join comes after it). */
  announce(): void;
  abandon(): void;
}

export type Establish = (session: Session, request: EstablishRequest) => Promise<ReadySubscription>;

export interface EstablishDeps {
  readonly hub: ChannelHub;
  readonly broker: Broker;
  readonly presence: Presence;
  readonly expiry: SubscriptionExpiry;
  readonly background: Background;
  readonly metrics: Pick<ConnectionMetrics, 'subscriptionAdded'>;
}

/**
 * Makes subscriptions of every source (client-protocol §3.2, §3.14, §4.5): presence and the stream at once, which is one
 * round trip to NATS instead of two, then live.
 */
export function createEstablish(deps: EstablishDeps): Establish {
  return async (session, request) => {
    const { name } = request.channel;
    let open: OpenSubscription | undefined;
    let isPresent = false;
    const undo = (): void => {
      open?.abandon();
      if (isPresent) deps.background(deps.presence.remove(name, session.id), 'presence remove');
    };
    try {
      const adding = request.features.presence ? addPresence(deps.presence, session, request) : undefined;
      isPresent = adding !== undefined;
      const opening = openStream(deps, session, request);
      if (adding === undefined) open = await opening;
      else {
        // Both, however the first ends: nothing is undone while it is still under way.
        const [added, opened] = await Promise.allSettled([adding, opening]);
        if (opened.status === 'fulfilled') open = opened.value;
        if (added.status === 'rejected') throw added.reason;
        open = await opening;
      }
    } catch (error) {
      undo();
      throw error;
    }
    if (session.isClosed) {
      undo();
      throw new Disconnect(DISCONNECT_CONNECTION_CLOSED);
    }
    return readySubscription(deps, { session, request, open, undo });
  };
}

interface Ready {
  readonly session: Session;
  readonly request: EstablishRequest;
  readonly open: OpenSubscription;
  readonly undo: () => void;
}

function readySubscription(deps: EstablishDeps, { session, request, open, undo }: Ready): ReadySubscription {
  const { name } = request.channel;
  let subscription: Subscription | undefined;
  return {
    finish() {
      try {
        const opened = open.finish();
        subscription = subscriptionOf(request, opened);
        session.subscriptions.set(name, subscription);
        deps.metrics.subscriptionAdded(session);
        return opened;
      } catch (error) {
        undo();
        throw error;
      }
    },
    announce() {
      if (subscription === undefined || session.isClosed) return;
      if (subscription.emitsJoinLeave) {
        subscription.joined = deps.broker.publishJoin(name, session.clientInfo(request.info));
        deps.background(subscription.joined, 'join');
      }
      deps.expiry.watch(session, subscription);
      request.stream?.goLive();
    },
    abandon: undo,
  };
}

async function openStream(deps: EstablishDeps, session: Session, request: EstablishRequest): Promise<OpenSubscription> {
  const { stream } = request;
  // compat: joins, leaves and publications of the server API reach a subscription that a stream feeds, as they do any other.
  const open = await deps.hub.open(session, request.channel.name, openOptions(request));
  if (stream === undefined) return open;
  const abandon = (): void => {
    open.abandon();
    stream.close();
  };
  return { finish: () => open.finish(), abandon };
}

async function addPresence(presence: Presence, session: Session, request: EstablishRequest): Promise<void> {
  try {
    await presence.add(request.channel.name, session.clientInfo(request.info));
  } catch (cause) {
    // compat: a subscriber that can't be entered into presence is sent away (channels-and-config §2.5).
    throw new Disconnect(DISCONNECT_SERVER_ERROR, { cause });
  }
}

function openOptions(request: EstablishRequest) {
  const { features, channel } = request;
  return {
    retention: request.retention,
    positioned: features.positioned,
    recoverable: features.recoverable,
    recoveryMode: request.recoveryMode ?? (channel.options.forceRecoveryMode === 'cache' ? 'cache' : 'stream'),
    ...(request.stream === undefined ? recoveryOptions(request) : {}),
    delta: features.delta,
    filter: request.filter,
    pushJoinLeave: features.pushJoinLeave,
    recoveryLimit: request.recoveryLimit,
  };
}

/** What a stream sends has no position: nothing is recovered (proxy.md §6.7). */
function recoveryOptions({ recoverFrom, autoCacheRecover, rejectUnrecovered }: EstablishRequest) {
  return { recoverFrom, autoCacheRecover, rejectUnrecovered };
}

function subscriptionOf(
  request: EstablishRequest,
  { positioned, recoverable, epoch, offset }: OpenedState,
): Subscription {
  return {
    channel: request.channel.name,
    options: request.channel.options,
    isServerSide: request.isServerSide,
    source: request.source,
    info: request.info,
    opened: { positioned, recoverable, epoch, offset },
    expireAt: request.expireAt,
    refresh: request.refresh,
    expiry: undefined,
    isPresent: request.features.presence,
    emitsJoinLeave: request.features.joinLeave,
    joined: undefined,
    left: undefined,
    stream: request.stream,
    allow: request.allow ?? [],
    tokenId: request.tokenId,
    tokenIssuedAt: request.tokenIssuedAt ?? 0,
  };
}
