import type { BanStore, Broker, Control, Presence, UserStatusStore } from '@carillon/cluster';
import type { Config } from '@carillon/config';
import type { ChannelRules } from '@carillon/policy';
import { createHttpInstrument, Health, type Clock, type Log, type Metrics } from '@carillon/service-kit';
import type { Tracing } from '@carillon/service-kit/tracing';
import type { TemplatedApp } from 'uWebSockets.js';
import { apiSettings, channelDefaults, type ApiSettings, type ListenerSettings } from './config.ts';
import { GrpcApi } from './grpc/grpc-server.ts';
import { HttpListener } from './http/listener/http-listener.ts';
import { mountAdmin } from './http/admin/admin-routes.ts';
import { answerNotFound, createHttpApi } from './http/http-server.ts';
import { InFlight } from './http/in-flight.ts';
import { mountOpsRoutes } from './http/listener/ops-routes.ts';
import { mountSwagger } from './http/swagger/swagger-routes.ts';
import { createApiMetrics } from './metrics.ts';
import { createFailureLog } from './method/failure/failure-log.ts';
import { createCallFollower } from './method/follow/follow-calls.ts';
import type { ChannelSettings } from './method/method-deps.ts';
import { createMethodHandlers } from './method/method-handlers.ts';
import { createMethodTable } from './method/method-table.ts';

export interface ComposeApiOptions {
  readonly config: Config;
  readonly broker: Broker;
  readonly presence: Presence;
  readonly control: Control;
  readonly bans: BanStore;
  readonly userStatus: UserStatusStore;
  readonly channels: ChannelRules;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Undefined: no traces. */
  readonly tracing?: Tracing | undefined;
  /** What else must be well for /health to say so; absent: only the API itself. */
  readonly health?: Health | undefined;
}

export interface ApiPorts {
  /** Of the listener that has the API. */
  readonly httpPort: number | undefined;
  readonly grpcPort: number | undefined;
}

export interface Api {
  /** Adds the HTTP API to an app of somebody else, who listens, and answers what nobody knows. */
  mount(app: TemplatedApp): void;
  /** The same for what an admin interface asks. */
  mountAdmin(app: TemplatedApp): void;
  /** The page that describes the API, if it is on. */
  mountSwagger(app: TemplatedApp): void;
  /** Opens ports of its own: HTTP with health and metrics, and gRPC if enabled. Rejects if one cannot be had. */
  listen(): Promise<ApiPorts>;
  /** gRPC alone, for whoever mounts the HTTP API elsewhere; gives the port, or undefined where gRPC is off. */
  listenGrpc(): Promise<number | undefined>;
  /** Takes no new work and waits for what is under way, until the signal aborts. */
  drain(signal?: AbortSignal): Promise<void>;
  /** Ends every connection. The ports that were handed in stay open: whoever made them closes them. Idempotent. */
  close(): Promise<void>;
  /**
   * New connections to the ports of its own get the certificates of this configuration; those that are open stay. Rejects
   * with the `OperationalError` `api_tls` for one that can't be used; those before it are in use then.
   */
  useCertificates(config: Config): Promise<void>;
  /** Applies channel options that were read again; the rest of the configuration stays. */
  updateChannels(rules: ChannelRules, config?: Pick<Config, 'channel'>): void;
}

/** Wires the service. */
export function composeApi(options: ComposeApiOptions): Api {
  const { config, log, clock, metrics } = options;
  const settings = apiSettings(config);
  let channels: ChannelSettings = { ...settings.channel, rules: options.channels };

  const apiMetrics = createApiMetrics(metrics);
  const reportFailure = createFailureLog({ log, clock });
  const handlers = createMethodHandlers({ ...options, channels: () => channels }, reportFailure);
  const follow = createCallFollower({ tracing: config.opentelemetry.api ? options.tracing : undefined, log });
  const { hasCommercialMethods } = settings;
  const tableDeps = { hasCommercialMethods, handlers, metrics: apiMetrics, reportFailure, follow, clock };
  const inFlight = new InFlight(apiMetrics.requestsInFlight);
  const table = createMethodTable({ ...tableDeps, protocol: 'http' });
  const httpApi = createHttpApi({ settings: settings.http, table, inFlight, follow, clock, log });
  const admin = { settings: settings.admin, table, inFlight, clock, log };
  const health = options.health ?? new Health();
  health.add('api', () => (inFlight.isDraining ? 'draining' : undefined));
  const listeners: HttpListener[] = [];
  let grpcApi: GrpcApi | undefined;

  const instrument = config.prometheus.instrumentHttpHandlers ? createHttpInstrument(metrics) : undefined;
  const addRoutes = (bare: TemplatedApp, { servesApi, servesAdmin, servesOps }: ListenerSettings): void => {
    const app = instrument?.(bare) ?? bare;
    if (servesAdmin) mountAdmin(app, admin);
    if (servesApi) httpApi.mount(app);
    if (servesOps) mountSwagger(app, settings.http);
    if (servesOps) mountOpsRoutes(app, { ...pathsOf(settings), health, metrics, inFlight, clock, log });
    app.any('/*', answerNotFound);
  };

  const listenGrpc = async (): Promise<number | undefined> => {
    if (!settings.grpc.isEnabled) return undefined;
    grpcApi = new GrpcApi({
      settings: settings.grpc,
      table: createMethodTable({ ...tableDeps, protocol: 'grpc' }),
      follow,
      health,
      clock,
      log,
    });
    const port = await grpcApi.listen();
    log.info('the gRPC API listens', { port });
    return port;
  };

  return {
    mount: (app) => httpApi.mount(app),
    mountAdmin: (app) => mountAdmin(app, admin),
    mountSwagger: (app) => mountSwagger(app, settings.http),
    listenGrpc,
    async listen() {
      let httpPort: number | undefined;
      for (const listenerSettings of settings.listeners) {
        const listener = new HttpListener(listenerSettings, (app) => addRoutes(app, listenerSettings));
        listeners.push(listener);
        const port = await listener.listen();
        if (listenerSettings.servesApi) httpPort = port;
        log.info('the API listens', { port, api: listenerSettings.servesApi, ops: listenerSettings.servesOps });
      }
      return { httpPort, grpcPort: await listenGrpc() };
    },
    async drain(signal) {
      for (const listener of listeners) listener.stopListening();
      await Promise.all([inFlight.drain(signal), grpcApi?.drain(signal)]);
    },
    async close() {
      for (const listener of listeners.splice(0)) listener.close();
      grpcApi?.close();
      grpcApi = undefined;
    },
    async useCertificates(next) {
      const { listeners: nextListeners, grpc } = apiSettings(next);
      for (const [index, listener] of listeners.entries()) {
        const tls = nextListeners[index]?.tls;
        if (tls !== undefined) await listener.useCertificate(tls);
      }
      grpcApi?.useCertificate(grpc.tls);
    },
    updateChannels(rules, changed) {
      channels = { ...(changed === undefined ? channels : channelDefaults(changed)), rules };
    },
  };
}

function pathsOf({ healthPath, metricsPath }: ApiSettings): Pick<ApiSettings, 'healthPath' | 'metricsPath'> {
  return { healthPath, metricsPath };
}
