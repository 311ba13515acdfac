import type { Config, ProxyConfig, TokenConfig } from '@carillon/config';
import { ChannelRules, createLimitPlan, type RpcRules } from '@carillon/policy';
import type { PublicationDataFormat } from '@carillon/protocol/channel';
import type { DisconnectCode } from '@carillon/protocol/codes';
import type { TokenSettings } from './auth/token-settings.ts';
import type { GatewaySettings } from './command/gateway-settings.ts';
import type { LimitSettings } from './command/limit/command-limits.ts';
import type { HubSettings } from './fanout/hub-settings.ts';

/** Namespaces and their rules; shared by everything in a process that resolves channels. */
export function channelRules({ channel }: Pick<Config, 'channel'>): ChannelRules {
  return new ChannelRules({
    syntax: channel,
    withoutNamespace: channel.withoutNamespace,
    namespaces: new Map(channel.namespaces.map((namespace) => [namespace.name, namespace])),
  });
}

/** What commands read of the configuration. */
export function gatewaySettings(config: Config, channels: ChannelRules): GatewaySettings {
  const { client, channel } = config;
  const personal = client.subscribeToUserPersonalChannel;
  return {
    channels,
    defaultDataFormat: dataFormat(channel.publicationDataFormat),
    defaultHistoryMetaTtlMs: channel.historyMetaTtlMs,
    maxChannelBytes: channel.maxLength,
    channelLimit: client.channelLimit,
    concurrency: client.concurrency,
    pingIntervalMs: client.pingIntervalMs,
    pongTimeoutMs: client.pongTimeoutMs,
    staleCloseDelayMs: client.staleCloseDelayMs,
    expiredCloseDelayMs: client.expiredCloseDelayMs,
    expiredSubCloseDelayMs: client.expiredSubCloseDelayMs,
    userConnectionLimit: client.userConnectionLimit,
    limits: limitSettings(config),
    includeServerTime: client.connectIncludeServerTime,
    historyLimit: client.historyMaxPublicationLimit,
    recoveryLimit: client.recoveryMaxPublicationLimit,
    insecure: client.insecure,
    allowAnonymousConnectWithoutToken: client.allowAnonymousConnectWithoutToken,
    disallowAnonymousConnectionTokens: client.disallowAnonymousConnectionTokens,
    userIdHeader: client.userIdHttpHeader.toLowerCase(),
    personalChannel: {
      enabled: personal.enabled,
      namespace: personal.personalChannelNamespace,
      singleConnection: personal.singleConnection,
    },
    connectProxyEnabled: client.proxy.connect.enabled,
    refreshProxyEnabled: client.proxy.refresh.enabled,
    keptEmulatedHeaders: emulatedHeaders(config),
    rpc: rpcRules(config),
    legacyClientClaim: client.subscriptionToken.legacyClientClaim,
    unidirectionalDisconnects: unidirectionalDisconnects(config),
  };
}

/** What commands read after a reload: as the new configuration says, but for what only a restart changes. */
export function reloadedSettings(before: GatewaySettings, next: GatewaySettings): GatewaySettings {
  const { channelLimit, pingIntervalMs, pongTimeoutMs } = before;
  return { ...next, channelLimit, pingIntervalMs, pongTimeoutMs };
}

/** Delays of the channel hub that are configured; its bounds have defaults. */
export function hubSettings({ client }: Config): Pick<HubSettings, 'positionCheckDelayMs' | 'positionMaxLagMs'> {
  return {
    positionCheckDelayMs: client.channelPositionCheckDelayMs,
    positionMaxLagMs: client.channelPositionMaxTimeLagMs,
  };
}

/** Keys and rules of connection tokens, and of subscription tokens where they have their own. */
export function tokenSettings({ client }: Pick<Config, 'client'>): {
  readonly connection: TokenSettings;
  readonly subscription: TokenSettings | undefined;
} {
  const skipSignatureVerify = client.insecureSkipTokenSignatureVerify;
  const of = (token: TokenConfig): TokenSettings => ({ ...token, skipSignatureVerify });
  return {
    connection: of(client.token),
    subscription: client.subscriptionToken.enabled ? of(client.subscriptionToken) : undefined,
  };
}

function limitSettings({ client }: Config): LimitSettings {
  const { clientCommand, userCommand, clientError } = client.rateLimit;
  const { enabled, total } = clientError;
  return {
    clientCommand: createLimitPlan(clientCommand),
    userCommand: createLimitPlan(userCommand),
    clientErrors: enabled && total.enabled && total.buckets.length > 0 ? total.buckets : undefined,
  };
}

function dataFormat(text: string): PublicationDataFormat {
  return text === 'json' || text === 'json_object' || text === 'binary' ? text : '';
}

function rpcRules({ rpc }: Config): RpcRules {
  return {
    namespaceBoundary: rpc.namespaceBoundary,
    withoutNamespace: rpc.withoutNamespace,
    namespaces: new Map(rpc.namespaces.map((namespace) => [namespace.name, namespace])),
    ping: rpc.ping,
  };
}

/** Every proxy there is. */
export function proxiesOf({ client, channel, rpc, proxies }: Config): readonly ProxyConfig[] {
  return [client.proxy.connect, client.proxy.refresh, ...Object.values(channel.proxy), rpc.proxy, ...proxies];
}

function emulatedHeaders(config: Config): ReadonlySet<string> {
  return new Set(proxiesOf(config).flatMap((proxy) => proxy.emulatedHeaders.map((name) => name.toLowerCase())));
}

function unidirectionalDisconnects({ client }: Config): ReadonlyMap<number, DisconnectCode> {
  const { enabled, transforms } = client.connectCodeToUnidirectionalDisconnect;
  return new Map(enabled ? transforms.map(({ code, to }) => [code, to]) : []);
}
