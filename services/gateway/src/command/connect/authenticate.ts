import {
  createCapabilities,
  NO_CAPABILITIES,
  SUBSCRIPTION_SOURCE,
  type ChannelFacts,
  type ChannelRules,
  type SubscriptionSource,
} from '@carillon/policy';
import type { ConnectRequest } from '@carillon/protocol/client';
import {
  ClientError,
  Disconnect,
  DISCONNECT_BAD_REQUEST,
  DISCONNECT_INVALID_TOKEN,
  DISCONNECT_PERMISSION_DENIED,
  INTERNAL_ERROR,
  TOKEN_EXPIRED,
  UNKNOWN_CHANNEL,
} from '@carillon/protocol/codes';
import type { ConnectResult, SubscribeOptionOverride } from '@carillon/protocol/proxy';
import { TokenError, type ConnectClaims } from '../../auth/token-verifier.ts';
import { askOf, commonAskFields, resultOf } from '../../policy/ask.ts';
import { backendBytes } from '../../policy/backend-bytes.ts';
import type { Identity } from '../../session/identity.ts';
import type { Session } from '../../session/session.ts';
import type { CommandDeps } from '../command-deps.ts';

export type AuthenticateDeps = Pick<CommandDeps, 'settings' | 'tokens' | 'decisions' | 'log'>;

/** Who connects, and what whoever vouched for them gave along. */
export interface Authentication {
  readonly identity: Identity;
  /** Server-side subscriptions by channel name. */
  readonly subscriptions: ReadonlyMap<string, ServerSubscription>;
  /** Custom data for the connect result. */
  readonly data?: Uint8Array | undefined;
  /** The client may ask for channels of its own in `connect.subs` (tokens.md §6: rows 1 and 3). */
  readonly mayRequestChannels: boolean;
  /** The user gets the personal channel where that is on. */
  readonly mayHavePersonalChannel: boolean;
}

/** A server-side subscription that was granted, before it is established. */
export interface ServerSubscription {
  readonly channel: ChannelFacts;
  readonly source: SubscriptionSource;
  readonly info?: Uint8Array | undefined;
  readonly data?: Uint8Array | undefined;
  readonly override?: SubscribeOptionOverride | undefined;
  readonly cacheRecover?: boolean | undefined;
}

/** The order of authentication on connect (tokens.md §6): token, connect proxy, anonymous or insecure, trusted header. */
export async function authenticate(
  deps: AuthenticateDeps,
  session: Session,
  request: ConnectRequest,
): Promise<Authentication> {
  const token = request.token ?? '';
  if (token !== '') return authenticateByToken(deps, session, token);
  const settings = deps.settings();
  if (settings.connectProxyEnabled) {
    const result = await askConnectProxy(deps, session, request);
    if (result !== undefined) return authenticateByProxy(deps, result);
  }
  if (settings.allowAnonymousConnectWithoutToken || settings.insecure) return anonymous();
  const user =
    settings.userIdHeader === '' ? undefined : session.socket.request.headers.get(settings.userIdHeader)?.[0];
  if (user === undefined || user === '') throw new Disconnect(DISCONNECT_BAD_REQUEST);
  return {
    identity: { ...UNKNOWN_IDENTITY, user, source: 'header' },
    subscriptions: new Map(),
    mayRequestChannels: false,
    mayHavePersonalChannel: false,
  };
}

const UNKNOWN_IDENTITY: Identity = {
  user: '',
  source: 'anonymous',
  expireAt: 0,
  info: undefined,
  meta: undefined,
  capabilities: NO_CAPABILITIES,
  tokenId: undefined,
  issuedAt: 0,
};

function anonymous(): Authentication {
  return {
    identity: UNKNOWN_IDENTITY,
    subscriptions: new Map(),
    mayRequestChannels: true,
    mayHavePersonalChannel: false,
  };
}

async function authenticateByToken(deps: AuthenticateDeps, session: Session, token: string): Promise<Authentication> {
  const claims = await verify(deps, session, token);
  const settings = deps.settings();
  if (claims.user === '' && settings.disallowAnonymousConnectionTokens) {
    throw new Disconnect(DISCONNECT_PERMISSION_DENIED);
  }
  const subscriptions = claimedSubscriptions(claims, settings.channels);
  return {
    identity: {
      user: claims.user,
      source: 'token',
      expireAt: settings.insecure ? 0 : claims.expireAt,
      info: claims.info,
      meta: claims.meta,
      capabilities: createCapabilities(claims.caps),
      tokenId: claims.tokenId,
      issuedAt: claims.issuedAt,
    },
    subscriptions,
    mayRequestChannels: true,
    mayHavePersonalChannel: true,
  };
}

async function verify({ tokens, log }: AuthenticateDeps, session: Session, token: string): Promise<ConnectClaims> {
  try {
    return await tokens.verifyConnectToken(token);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    const address = session.socket.request.remoteAddress;
    log.info('connection token refused', { client: session.id, address, reason: error.message });
    switch (error.code) {
      case 'expired':
        throw new ClientError(TOKEN_EXPIRED);
      case 'unknown_channel':
        throw new ClientError(UNKNOWN_CHANNEL);
      case 'internal':
        throw new ClientError(INTERNAL_ERROR);
      case 'invalid':
        throw new Disconnect(DISCONNECT_INVALID_TOKEN);
    }
  }
}

function claimedSubscriptions(claims: ConnectClaims, rules: ChannelRules): Map<string, ServerSubscription> {
  const source = SUBSCRIPTION_SOURCE.connectionToken;
  const subscriptions = new Map<string, ServerSubscription>();
  for (const [name, options] of claims.subs) {
    subscriptions.set(name, { ...options, channel: resolve(rules, name), source });
  }
  for (const name of claims.channels) subscriptions.set(name, { channel: resolve(rules, name), source });
  return subscriptions;
}

function resolve(rules: ChannelRules, name: string): ChannelFacts {
  const channel = rules.resolve(name);
  if (channel === undefined) throw new ClientError(UNKNOWN_CHANNEL);
  return channel;
}

async function askConnectProxy(
  deps: AuthenticateDeps,
  session: Session,
  request: ConnectRequest,
): Promise<ConnectResult | undefined> {
  const { client, transport, protocol } = commonAskFields(session);
  const message = {
    client,
    transport,
    protocol,
    data: request.data,
    name: request.name,
    version: request.version,
    channels: Object.keys(request.subs ?? {}),
  };
  return resultOf(await deps.decisions.connect(askOf(session, 'default', message)));
}

function authenticateByProxy(deps: AuthenticateDeps, result: ConnectResult): Authentication {
  const { channels } = deps.settings();
  // compat: before the channels are looked at.
  const info = backendBytes(result.b64info, result.info);
  const data = backendBytes(result.b64data, result.data);
  const source = SUBSCRIPTION_SOURCE.connectProxy;
  const subscriptions = new Map<string, ServerSubscription>();
  for (const name of result.channels ?? []) subscriptions.set(name, { channel: resolve(channels, name), source });
  for (const [name, options] of Object.entries(result.subs ?? {})) {
    subscriptions.set(name, {
      channel: resolve(channels, name),
      source,
      info: backendBytes(options.b64info, options.info),
      data: backendBytes(options.b64data, options.data),
      override: options.override,
      cacheRecover: options.cacheRecover,
    });
  }
  const identity: Identity = {
    user: result.user ?? '',
    source: 'proxy',
    expireAt: result.expireAt ?? 0,
    info,
    meta: result.meta,
    capabilities: createCapabilities(result.caps ?? []),
    tokenId: undefined,
    issuedAt: 0,
  };
  return {
    identity,
    subscriptions,
    data,
    mayRequestChannels: false,
    mayHavePersonalChannel: true,
  };
}
