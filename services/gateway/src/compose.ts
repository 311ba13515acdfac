import type { ClusterEngine, CreateEngine, NodeStats } from '@carillon/cluster';
import type { Config } from '@carillon/config';
import type { ChannelRules, DecisionService } from '@carillon/policy';
import { DISCONNECT_SHUTDOWN } from '@carillon/protocol/codes';
import {
  createHttpInstrument,
  healthResponse,
  metricsResponse,
  OperationalError,
  type Clock,
  type Health,
  type Log,
  type Metrics,
  type OpsResponse,
} from '@carillon/service-kit';
import type { Tracing } from '@carillon/service-kit/tracing';
import type { TemplatedApp } from 'uWebSockets.js';
import { createJwksKeys } from './auth/jwks-keys.ts';
import { createStaticKeys } from './auth/static-keys.ts';
import { createTokenVerifier } from './auth/create-token-verifier.ts';
import type { TokenVerifier } from './auth/token-verifier.ts';
import type { GatewaySettings } from './command/gateway-settings.ts';
import { createSessionStack, type SessionStack } from './compose-sessions.ts';
import { channelRules, gatewaySettings, hubSettings, proxiesOf, reloadedSettings, tokenSettings } from './config.ts';
import { createConnectionMetrics } from './connection/connection-metrics.ts';
import { spreadOver } from './connection/spread.ts';
import { edgeSettings } from './edge-config.ts';
import { createEdgeMetrics } from './edge-metrics.ts';
import { createEdgeServer, type EdgeServer } from './edge/edge-server.ts';
import { respond } from './edge/http/respond.ts';
import { routePattern } from './edge/http/route-pattern.ts';
import { BrokerChannelHub, type ChannelHubDeps } from './fanout/channel-hub.ts';
import { createDeliveryFollower } from './fanout/follow-deliveries.ts';
import { createHubMetrics } from './fanout/hub-metrics.ts';
import { DEFAULT_HUB_SETTINGS } from './fanout/hub-settings.ts';
import { createLateParts } from './late-parts.ts';
import { createNodeGauges } from './metrics.ts';
import { createGrpcPolicy, type GrpcPolicy } from './policy/grpc-policy.ts';
import { createTracedDecisions } from './policy/traced-decisions.ts';
import { createHeartbeat } from './session/heartbeat.ts';

export interface ComposeGatewayOptions {
  readonly config: Config;
  readonly createEngine: CreateEngine;
  /** Decisions in this process; absent: by the auth-policy instances at `auth_policy.address`. */
  readonly decisions: DecisionService | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Undefined: no traces. */
  readonly tracing?: Tracing | undefined;
  /** `always`: a service of a cluster has /health and /metrics whether or not they are switched on. */
  readonly opsEndpoints: 'always' | 'as_configured';
}

/** A gateway: made by `composeGateway`, then routes of others may be mounted, then it listens. */
export interface Gateway {
  readonly engine: ClusterEngine;
  readonly channels: ChannelRules;
  mount(addRoutes: (app: TemplatedApp) => void, listener: 'main' | 'internal'): void;
  /** Serves a file at a path of the main listener. */
  serve(asset: { readonly path: string; readonly contentType: string; readonly body: Uint8Array }): void;
  listen(): Promise<void>;
  port(): number;
  /** Takes a new configuration: namespaces, tokens, permissions, certificates. Rejects, and keeps the old one, if it can't be used. */
  reload(config: Config): Promise<ChannelRules>;
  /** Turns new clients away and sends the others elsewhere, spread over the drain window. */
  drain(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** How often the others are told what this node holds, ms. */
const REPORT_PERIOD_MS = 1_000;

/** Longer than any proxy's own time-out usually is, so that the better reason wins, ms. */
const DECISION_HOP_MARGIN_MS = 2_000;

/** Where `auth_policy.max_in_flight` is 0. */
const DEFAULT_MAX_DECISIONS = 16_384;

/** What changes with a reload. */
interface Live {
  settings: GatewaySettings;
  tokens: TokenVerifier;
}

/** Wires a gateway. Rejects with an `OperationalError` when its engine, keys or ports can't be had. */
export async function composeGateway(options: ComposeGatewayOptions): Promise<Gateway> {
  const { config, clock, log, metrics, health } = options;
  const channels = channelRules(config);
  const live: Live = { settings: gatewaySettings(config, channels), tokens: await tokenVerifier(config, options) };
  warnOfInsecureModes(config, log);
  const late = createLateParts();
  const engine = await options.createEngine(late);
  const { decisions, reloadDecisions } = decisionsOf(options);
  const observer = createEdgeMetrics(metrics);
  const edge: EdgeServer = createEdgeServer({
    settings: edgeSettings(config),
    accept: (socket) => stack.accept(socket),
    emulate: (request) => engine.control.emulate(request, config.nats.requestTimeoutMs),
    createHeartbeat,
    observer,
    instrument: config.prometheus.instrumentHttpHandlers ? createHttpInstrument(metrics) : undefined,
    clock,
    log,
  });
  const hub = createHub(options, { broker: engine.broker, publisher: edge.publisher });
  const stack: SessionStack = createSessionStack({
    engine,
    hub,
    decisions,
    tokens: {
      verifyConnectToken: (token) => live.tokens.verifyConnectToken(token),
      verifySubscribeToken: (token) => live.tokens.verifySubscribeToken(token),
    },
    settings: () => live.settings,
    metrics: createConnectionMetrics(metrics),
    countReceived: observer.onReceived,
    clock,
    log,
  });
  late.bind({ receiver: hub, handler: stack.control });
  health.add('engine', () => engine.unavailable());
  mountOps(edge, options);
  const stats = (): NodeStats => ({
    numClients: stack.sessions.numClients,
    numUsers: stack.sessions.numUsers,
    numChannels: hub.numChannels,
    numSubs: hub.numSubscriptions,
  });
  createNodeGauges(metrics, { stats, connections: () => edge.connections, engine });
  const reporter = setInterval(() => engine.control.report(stats()), REPORT_PERIOD_MS);
  reporter.unref();

  return {
    engine,
    channels,
    mount: (addRoutes, listener) => edge.mount(listener === 'main' ? 'external' : 'internal', addRoutes),
    serve: (asset) => mountAsset(edge, asset),
    listen: () => edge.listen(),
    port: () => edge.port,
    async reload(next) {
      const rules = channelRules(next);
      const tokens = await tokenVerifier(next, options);
      await edge.reload(edgeSettings(next));
      live.settings = reloadedSettings(live.settings, gatewaySettings(next, rules));
      live.tokens = tokens;
      reloadDecisions(next);
      return rules;
    },
    drain: (signal) => drain({ config, edge, stack, clock, signal }),
    async close() {
      clearInterval(reporter);
      for (const session of stack.sessions.all()) stack.close.disconnect(session, DISCONNECT_SHUTDOWN);
      stack.stop();
      hub.stop();
      edge.close();
      await decisions.close();
      await engine.close();
    },
  };
}

function createHub(
  { config, clock, log, metrics, tracing }: ComposeGatewayOptions,
  { broker, publisher }: Pick<ChannelHubDeps, 'broker' | 'publisher'>,
): BrokerChannelHub {
  return new BrokerChannelHub({
    broker,
    publisher,
    clock,
    metrics: createHubMetrics(metrics),
    settings: { ...DEFAULT_HUB_SETTINGS, ...hubSettings(config) },
    follow: createDeliveryFollower({ tracing, log }),
  });
}

interface Draining {
  readonly config: Config;
  readonly edge: EdgeServer;
  readonly stack: SessionStack;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** No new clients, and those that are here go elsewhere: evenly, so that they do not storm the others. */
async function drain({ config, edge, stack, clock, signal }: Draining): Promise<void> {
  edge.drain();
  const items = [...stack.sessions.all()];
  await spreadOver({
    items,
    windowMs: drainWindowMs(config, items.length),
    clock,
    signal,
    act: (session) => stack.close.disconnect(session, DISCONNECT_SHUTDOWN),
  });
}

/** Few clients need no window: a laptop's server must stop at once. */
const CLIENTS_PER_SECOND_AT_ONCE = 500;

function drainWindowMs({ gateway }: Config, clients: number): number {
  return Math.min(gateway.drainWindowMs, (clients / CLIENTS_PER_SECOND_AT_ONCE) * 1000);
}

function tokenVerifier(config: Config, { clock, log }: ComposeGatewayOptions): Promise<TokenVerifier> {
  const { connection, subscription } = tokenSettings(config);
  const channels = channelRules(config);
  return createTokenVerifier({
    connection,
    subscription,
    isKnownChannel: (channel) => channels.resolve(channel) !== undefined,
    clock,
    createKeys: async (settings) =>
      settings.jwksPublicEndpoint === ''
        ? createStaticKeys(settings, clock)
        : createJwksKeys({ endpoint: settings.jwksPublicEndpoint, clock, log }),
  });
}

interface Decisions {
  readonly decisions: DecisionService;
  readonly reloadDecisions: (config: Config) => void;
}

function decisionsOf(options: ComposeGatewayOptions): Decisions {
  if (options.decisions !== undefined) return { decisions: options.decisions, reloadDecisions: () => undefined };
  const remote = remoteDecisions(options);
  const { tracing } = options;
  const decisions = tracing === undefined ? remote : createTracedDecisions({ decisions: remote, tracing });
  return { decisions, reloadDecisions: (next) => remote.setDeadline(decisionDeadlineMs(next)) };
}

function remoteDecisions({ config, log, metrics, clock }: ComposeGatewayOptions): GrpcPolicy {
  const { authPolicy } = config;
  if (authPolicy.address.length === 0) {
    throw new OperationalError('no_auth_policy', 'auth_policy.address is not set', { retriable: false });
  }
  return createGrpcPolicy({
    addresses: authPolicy.address,
    defaultPort: authPolicy.port,
    maxInFlight: authPolicy.maxInFlight === 0 ? DEFAULT_MAX_DECISIONS : authPolicy.maxInFlight,
    deadlineMs: decisionDeadlineMs(config),
    log,
    metrics,
    clock,
  });
}

function decisionDeadlineMs(config: Config): number {
  return Math.max(...proxiesOf(config).map((proxy) => proxy.timeoutMs)) + DECISION_HOP_MARGIN_MS;
}

function mountOps(edge: EdgeServer, { config, health, metrics, opsEndpoints }: ComposeGatewayOptions): void {
  const send = (app: TemplatedApp, path: string, answer: () => Promise<OpsResponse>): void => {
    // compat: whatever the method; load balancers like HEAD.
    app.any(routePattern(path), (res, req) => {
      const isHead = req.getMethod() === 'head';
      let isAborted = false;
      res.onAborted(() => {
        isAborted = true;
      });
      void answer().then(({ status, contentType, body }) => {
        if (isAborted) return;
        res.cork(() => respond(res, status, { headers: [['Content-Type', contentType]], body, isHead }));
      });
    });
  };
  edge.mount('internal', (app) => {
    if (opsEndpoints === 'always' || config.health.enabled) {
      send(app, config.health.handlerPrefix, async () => healthResponse(health.report()));
    }
    if (opsEndpoints === 'always' || config.prometheus.enabled) {
      send(app, config.prometheus.handlerPrefix, () => metricsResponse(metrics));
    }
  });
}

function mountAsset(
  edge: EdgeServer,
  { path, contentType, body }: { readonly path: string; readonly contentType: string; readonly body: Uint8Array },
): void {
  edge.mount('external', (app) => {
    app.get(path, (res) => {
      res.writeHeader('Content-Type', contentType).writeHeader('Cache-Control', 'no-cache').end(body);
    });
  });
}

function warnOfInsecureModes({ client }: Config, log: Log): void {
  if (client.insecure) log.warn('client.insecure is on: nobody is authenticated and everything is permitted');
  if (client.insecureSkipTokenSignatureVerify) {
    log.warn('client.insecure_skip_token_signature_verify is on: anybody can make tokens');
  }
}
