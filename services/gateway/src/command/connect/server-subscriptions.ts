import {
  decideConnectChannels,
  isChannelLimitReached,
  NOTHING_REQUESTED,
  personalChannel,
  SUBSCRIPTION_SOURCE,
  subscriptionFeatures,
} from '@carillon/policy';
import type { ConnectRequest, SubscribeRequest, SubscribeResult } from '@carillon/protocol/client';
import { ClientError, Disconnect, DISCONNECT_CHANNEL_LIMIT, UNKNOWN_CHANNEL } from '@carillon/protocol/codes';
import type { Session } from '../../session/session.ts';
import type { Establish, EstablishRequest, ReadySubscription } from '../../subscription/establish.ts';
import { askerOf } from '../asker.ts';
import type { Authentication, ServerSubscription } from './authenticate.ts';
import type { GatewaySettings } from '../gateway-settings.ts';
import { throwRefusal } from '../refusal.ts';
import { retentionOf } from '../retention.ts';
import { streamResult } from '../subscribe/subscribe-result.ts';

/**
 * Every server-side subscription of a connect: what the credentials grant, the personal channel, and what the client
 * asks for where it may (client-protocol §3.2 step 3, tokens.md §6, §6.1). Throws over the channel limit (3505).
 */
export function serverSubscriptionsOf(
  settings: GatewaySettings,
  authentication: Authentication,
  request: ConnectRequest,
): ReadonlyMap<string, ServerSubscription> {
  const { identity, mayHavePersonalChannel, mayRequestChannels } = authentication;
  const all = new Map(authentication.subscriptions);
  if (settings.personalChannel.enabled && mayHavePersonalChannel) {
    const name = personalChannel(identity.user, settings.personalChannel.namespace, settings.channels.syntax);
    const channel = name === undefined ? undefined : settings.channels.resolve(name);
    if (name !== undefined && channel === undefined) throw new ClientError(UNKNOWN_CHANNEL);
    if (channel !== undefined) all.set(channel.name, { channel, source: SUBSCRIPTION_SOURCE.personalChannel });
  }
  if (mayRequestChannels) {
    const verdict = decideConnectChannels({
      requested: Object.keys(request.subs ?? {}),
      granted: new Set(all.keys()),
      user: identity.user,
      insecure: settings.insecure,
      rules: settings.channels,
    });
    if (verdict.kind !== 'grant') throwRefusal(verdict);
    for (const channel of verdict.channels) all.set(channel.name, { channel, source: verdict.source });
  }
  // compat: a channel without a name, which tokens and backends may list, is skipped.
  all.delete('');
  if (isChannelLimitReached(all.size - 1, settings)) throw new Disconnect(DISCONNECT_CHANNEL_LIMIT);
  return all;
}

/** Subscriptions of one connect that are ready to go live together. */
export interface ReadyServerSubscriptions {
  /** All live at once; throws as one of them does, and then none is. */
  finish(): Record<string, SubscribeResult>;
  announce(): void;
  abandon(): void;
}

/** Establishes all in parallel; the first failure undoes the others and fails the connect. */
export async function openServerSubscriptions(
  { establish, settings }: { readonly establish: Establish; readonly settings: GatewaySettings },
  session: Session,
  granted: ReadonlyMap<string, ServerSubscription>,
  requested: Readonly<Record<string, SubscribeRequest>>,
): Promise<ReadyServerSubscriptions> {
  const entries = [...granted.values()];
  const outcomes = await Promise.allSettled(
    entries.map((entry) => establish(session, establishRequest(settings, session, { entry, requested }))),
  );
  const ready: { readonly entry: ServerSubscription; readonly subscription: ReadySubscription }[] = [];
  let failure: { readonly reason: unknown } | undefined;
  outcomes.forEach((outcome, index) => {
    const entry = entries[index];
    if (outcome.status === 'rejected') failure ??= { reason: outcome.reason };
    else if (entry !== undefined) ready.push({ entry, subscription: outcome.value });
  });
  const abandon = (): void => {
    for (const { subscription } of ready) subscription.abandon();
  };
  if (failure !== undefined) {
    abandon();
    throw failure.reason;
  }
  return {
    finish() {
      const results: Record<string, SubscribeResult> = {};
      for (const { entry, subscription } of ready) {
        results[entry.channel.name] = { ...streamResult(subscription.finish()), data: entry.data };
      }
      return results;
    },
    announce() {
      for (const { subscription } of ready) subscription.announce();
    },
    abandon,
  };
}

function establishRequest(
  settings: GatewaySettings,
  session: Session,
  {
    entry,
    requested,
  }: { readonly entry: ServerSubscription; readonly requested: Readonly<Record<string, SubscribeRequest>> },
): EstablishRequest {
  const { channel } = entry;
  const wish = requested[channel.name];
  return {
    channel,
    features: subscriptionFeatures({
      channel,
      decidedBy: 'server',
      asker: askerOf(session, settings.insecure),
      subscriptionAllow: [],
      requested: { ...NOTHING_REQUESTED, delta: wish?.delta ?? '' },
      override: entry.override,
    }),
    isServerSide: true,
    source: entry.source,
    retention: retentionOf(channel.options, settings.defaultHistoryMetaTtlMs),
    recoveryLimit: settings.recoveryLimit,
    recoverFrom: wish?.recover === true ? { offset: wish.offset ?? 0, epoch: wish.epoch ?? '' } : undefined,
    autoCacheRecover: channel.options.autoCacheRecover || entry.cacheRecover === true,
    info: entry.info,
    expireAt: 0,
    refresh: 'nobody',
  };
}
