import {
  decideSubscribe,
  isTagsFilterAllowed,
  NOTHING_REQUESTED,
  SUBSCRIPTION_SOURCE,
  subscriptionFeatures,
  type ChannelFacts,
  type DecidedBy,
  type RequestedFeatures,
  type SubscriptionSource,
} from '@carillon/policy';
import { validateFilter } from '@carillon/protocol/channel';
import {
  SUBSCRIBE_FLAG_REJECT_UNRECOVERED,
  SUBSCRIPTION_TYPE_STREAM,
  type SubscribeRequest,
} from '@carillon/protocol/client';
import {
  BAD_REQUEST,
  ClientError,
  Disconnect,
  DISCONNECT_INVALID_TOKEN,
  EXPIRED,
  NOT_AVAILABLE,
} from '@carillon/protocol/codes';
import type { SubscribeOptionOverride, SubscribeResult } from '@carillon/protocol/proxy';
import { askOf, commonAskFields, resultOf } from '../../policy/ask.ts';
import { backendBytes } from '../../policy/backend-bytes.ts';
import type { Session } from '../../session/session.ts';
import type { SubscriptionRefresh } from '../../session/subscription.ts';
import type { Establish, EstablishRequest, ReadySubscription } from '../../subscription/establish.ts';
import type { ClientStream } from '../../subscription/client-stream.ts';
import { askerOf } from '../asker.ts';
import { refuseRevokedToken } from '../ban-check.ts';
import type { CommandDeps } from '../command-deps.ts';
import type { GatewaySettings } from '../gateway-settings.ts';
import type { CommandHandler } from '../handler.ts';
import { throwRefusal } from '../refusal.ts';
import { retentionOf } from '../retention.ts';
import { openClientStream, type StreamDeps, type StreamQuestion } from './admit-by-stream.ts';
import { streamResult, ttlOf } from './subscribe-result.ts';
import { claimsFor } from './subscription-claims.ts';

export type SubscribeDeps = Pick<
  CommandDeps,
  'settings' | 'decisions' | 'tokens' | 'bans' | 'clock' | 'metrics' | 'log'
> & {
  readonly establish: Establish;
} & StreamDeps;

/** Who let the client in, and what came with that. */
interface Admission {
  readonly decidedBy: DecidedBy;
  readonly source: SubscriptionSource;
  readonly refresh: SubscriptionRefresh;
  /** Unix seconds; 0 = never. */
  readonly expireAt: number;
  readonly info?: Uint8Array | undefined;
  readonly data?: Uint8Array | undefined;
  readonly override?: SubscribeOptionOverride | undefined;
  readonly allow: readonly string[];
  readonly tokenId?: string | undefined;
  readonly tokenIssuedAt?: number | undefined;
  /** Of the backend, where the subscription is fed by one. */
  readonly stream?: ClientStream | undefined;
}

/** `subscribe` of an ordinary channel: permission (§3.9), then the stream (§4), then the reply before any push. */
export function createSubscribe(deps: SubscribeDeps): CommandHandler {
  return (session, command) => {
    const request = command.subscribe ?? {};
    const settings = deps.settings();
    const name = request.channel ?? '';
    const channel = name === '' ? undefined : settings.channels.resolve(name);
    const verdict = decideSubscribe({
      name,
      channel,
      type: request.type ?? 0,
      delta: request.delta ?? '',
      hasToken: (request.token ?? '') !== '',
      asker: askerOf(session, settings.insecure),
      isSubscribed: session.hasChannel(name),
      channelCount: session.channelCount,
      limits: settings,
    });
    if (verdict.kind === 'error' || verdict.kind === 'disconnect') throwRefusal(verdict);
    // Maps and shared polls are not built: a stream would only look like one.
    const isStream = (request.type ?? SUBSCRIPTION_TYPE_STREAM) === SUBSCRIPTION_TYPE_STREAM;
    if (channel === undefined || !isStream) throw new ClientError(NOT_AVAILABLE);
    const subscribing = subscribe(deps, session, { id: command.id ?? 0, request, channel, settings, verdict });
    // From here on the channel counts as taken, until the subscription stands or failed.
    const settled = subscribing.then(ignore, ignore).then(() => void session.opening.delete(name));
    session.opening.set(name, settled);
    return subscribing;
  };
}

function ignore(): void {}

interface Subscribing {
  readonly id: number;
  readonly request: SubscribeRequest;
  readonly channel: ChannelFacts;
  readonly settings: GatewaySettings;
  readonly verdict:
    | { readonly kind: 'allow'; readonly source: SubscriptionSource }
    | { readonly kind: 'ask_token' }
    | { readonly kind: 'ask_proxy'; readonly proxyName: string }
    | { readonly kind: 'ask_stream'; readonly proxyName: string; readonly isBidirectional: boolean };
}

async function subscribe(deps: SubscribeDeps, session: Session, asked: Subscribing): Promise<void> {
  const admission = await admit(deps, session, asked);
  try {
    await establish(deps, session, { asked, admission });
  } catch (error) {
    admission.stream?.close();
    throw error;
  }
}

async function establish(
  deps: SubscribeDeps,
  session: Session,
  { asked, admission }: { readonly asked: Subscribing; readonly admission: Admission },
): Promise<void> {
  const { id, request, channel, settings } = asked;
  const nowMs = deps.clock.now();
  if (admission.expireAt > 0 && admission.expireAt <= nowMs / 1000) throw new ClientError(EXPIRED);
  checkFilter(request, channel, admission);
  const ready = await deps.establish(session, establishRequest(session, asked, admission));
  try {
    // Once more: a sweep of the sessions does not find a subscription that does not stand yet.
    refuseRevokedAdmission(deps, session, { channel, admission });
  } catch (error) {
    ready.abandon();
    throw error;
  }
  finish(deps, session, { ready, id, admission, nowMs, isRecovering: request.recover ?? false, settings });
}

function refuseRevokedAdmission(
  deps: SubscribeDeps,
  session: Session,
  { channel, admission }: { readonly channel: ChannelFacts; readonly admission: Admission },
): void {
  if (admission.decidedBy !== 'token') return;
  const { tokenId, tokenIssuedAt: issuedAt = 0 } = admission;
  refuseRevokedToken(deps, session, { user: session.user, tokenId, issuedAt, channel: channel.name });
}

interface Finishing {
  readonly ready: ReadySubscription;
  readonly id: number;
  readonly admission: Admission;
  readonly nowMs: number;
  readonly isRecovering: boolean;
  readonly settings: GatewaySettings;
}

/** Reply first, then everything that may be pushed: one turn, nothing can come between. */
function finish(deps: SubscribeDeps, session: Session, { ready, id, admission, nowMs, isRecovering }: Finishing): void {
  session.socket.batch(() => {
    const opened = ready.finish();
    if (isRecovering) deps.metrics.countRecover(opened.recovered, opened.publications.length);
    const expires = admission.expireAt > 0 && admission.refresh === 'client';
    session.reply(id, {
      subscribe: {
        ...streamResult(opened),
        expires,
        ttl: expires ? ttlOf(admission.expireAt, nowMs) : undefined,
        data: admission.data,
      },
    });
    ready.announce();
  });
}

async function admit(deps: SubscribeDeps, session: Session, asked: Subscribing): Promise<Admission> {
  const { verdict } = asked;
  switch (verdict.kind) {
    case 'allow':
      return { decidedBy: 'rules', source: verdict.source, refresh: refreshOf(asked.channel), expireAt: 0, allow: [] };
    case 'ask_token':
      return admitByToken(deps, session, asked);
    case 'ask_proxy':
      return admitByProxy(deps, session, { ...asked, proxyName: verdict.proxyName });
    case 'ask_stream':
      return admitByStream(deps, session, { ...asked, ...verdict });
  }
}

async function admitByToken(
  deps: SubscribeDeps,
  session: Session,
  { request, channel, settings }: Subscribing,
): Promise<Admission> {
  const claims = await claimsFor(deps, session, {
    token: request.token ?? '',
    channel: channel.name,
    legacyClientClaim: settings.legacyClientClaim,
    onInvalid: 'permission_denied',
  });
  if (claims === 'mismatch') throw new Disconnect(DISCONNECT_INVALID_TOKEN);
  return {
    decidedBy: 'token',
    source: SUBSCRIPTION_SOURCE.subscriptionToken,
    refresh: refreshOf(channel),
    expireAt: claims.expireAt,
    info: claims.info,
    data: claims.data,
    override: claims.override,
    allow: claims.allow,
    tokenId: claims.tokenId,
    tokenIssuedAt: claims.issuedAt,
  };
}

async function admitByProxy(
  deps: SubscribeDeps,
  session: Session,
  { request, channel, proxyName }: Subscribing & { readonly proxyName: string },
): Promise<Admission> {
  const message = { ...commonAskFields(session), channel: channel.name, token: request.token, data: request.data };
  const result = resultOf(await deps.decisions.subscribe(askOf(session, proxyName, message)));
  return {
    decidedBy: 'proxy',
    source: SUBSCRIPTION_SOURCE.subscribeProxy,
    refresh: refreshOf(channel),
    ...admissionOf(result),
  };
}

async function admitByStream(deps: SubscribeDeps, session: Session, question: StreamQuestion): Promise<Admission> {
  const { stream, result } = await openClientStream(deps, session, question);
  try {
    const ofBackend = admissionOf(result);
    return { decidedBy: 'stream', source: SUBSCRIPTION_SOURCE.streamProxy, refresh: 'client', ...ofBackend, stream };
  } catch (error) {
    stream.close();
    throw error;
  }
}

function refreshOf({ options }: ChannelFacts): SubscriptionRefresh {
  return options.subRefreshProxyEnabled ? 'server' : 'client';
}

/** What a backend says about a subscription that it lets in. Throws error 100 for bad base64. */
function admissionOf(result: SubscribeResult | undefined) {
  return {
    expireAt: result?.expireAt ?? 0,
    info: backendBytes(result?.b64info, result?.info),
    data: backendBytes(result?.b64data, result?.data),
    override: result?.override,
    allow: result?.allow ?? [],
  };
}

function checkFilter({ tf }: SubscribeRequest, { options }: ChannelFacts, { stream }: Admission): void {
  if (tf === undefined) return;
  // compat: the options of a subscription that a stream feeds never allow a filter.
  const isAllowed = stream === undefined && isTagsFilterAllowed(options);
  if (!isAllowed || validateFilter(tf) !== undefined) throw new ClientError(BAD_REQUEST);
}

function requestedFeatures(request: SubscribeRequest): RequestedFeatures {
  return {
    ...NOTHING_REQUESTED,
    positioned: request.positioned ?? false,
    recoverable: request.recoverable ?? false,
    joinLeave: request.joinLeave ?? false,
    delta: request.delta ?? '',
  };
}

function establishRequest(session: Session, asked: Subscribing, admission: Admission): EstablishRequest {
  const { request, channel, settings } = asked;
  const features = subscriptionFeatures({
    channel,
    decidedBy: admission.decidedBy,
    asker: askerOf(session, settings.insecure),
    subscriptionAllow: admission.allow,
    requested: requestedFeatures(request),
    override: admission.override,
  });
  return {
    channel,
    features,
    isServerSide: false,
    source: admission.source,
    retention: retentionOf(channel.options, settings.defaultHistoryMetaTtlMs),
    recoveryLimit: settings.recoveryLimit,
    recoverFrom: request.recover === true ? { offset: request.offset ?? 0, epoch: request.epoch ?? '' } : undefined,
    autoCacheRecover: channel.options.autoCacheRecover,
    rejectUnrecovered: ((request.flag ?? 0) & SUBSCRIBE_FLAG_REJECT_UNRECOVERED) !== 0,
    filter: request.tf,
    info: admission.info,
    expireAt: admission.expireAt,
    refresh: admission.refresh,
    allow: admission.allow,
    tokenId: admission.tokenId,
    tokenIssuedAt: admission.tokenIssuedAt,
    stream: admission.stream,
  };
}
