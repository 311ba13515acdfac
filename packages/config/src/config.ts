import type { ChannelConfig } from './option/channel.ts';
import { channel } from './option/channel.ts';
import type { ClientConfig } from './option/client.ts';
import { client } from './option/client.ts';
import type { AuthPolicyConfig, GatewayConfig, NatsConfig } from './option/cluster.ts';
import { authPolicy, gateway, nats } from './option/cluster.ts';
import { consumers } from './option/consumer.ts';
import type * as endpoint from './option/endpoint.ts';
import {
  admin,
  debug,
  graphite,
  grpcApi,
  health,
  httpApi,
  init,
  opentelemetry,
  prometheus,
  sharedPoll,
  swagger,
} from './option/endpoint.ts';
import type * as store from './option/engine.ts';
import { broker, controller, engine, mapBroker, presenceManager } from './option/engine.ts';
import { bool, type FieldsOf, text } from './option/field.ts';
import type { NamedProxyConfig, RpcConfig } from './option/proxy.ts';
import { namedProxies, rpc } from './option/proxy.ts';
import type * as server from './option/server.ts';
import { httpServer, log, node, shutdown, usageStats } from './option/server.ts';
import type * as transport from './option/transport.ts';
import {
  emulation,
  httpStream,
  sse,
  uniGrpc,
  uniHttpStream,
  uniSse,
  uniWebsocket,
  websocket,
  webtransport,
} from './option/transport.ts';

/** The whole configuration: camelCase, durations as numbers of milliseconds named `…Ms`, every default filled in. */
export interface Config {
  readonly httpServer: server.HttpServerConfig;
  readonly log: server.LogConfig;
  readonly engine: store.EngineConfig;
  readonly broker: store.BrokerConfig;
  readonly presenceManager: store.PresenceManagerConfig;
  readonly mapBroker: store.MapBrokerConfig;
  readonly controller: store.ControllerConfig;
  readonly sharedPoll: endpoint.SharedPollConfig;
  readonly client: ClientConfig;
  readonly channel: ChannelConfig;
  readonly rpc: RpcConfig;
  readonly proxies: readonly NamedProxyConfig[];
  readonly httpApi: endpoint.HttpApiConfig;
  readonly grpcApi: endpoint.GrpcApiConfig;
  readonly consumers: readonly unknown[];
  readonly websocket: transport.WebsocketConfig;
  readonly sse: transport.StreamTransportConfig;
  readonly httpStream: transport.StreamTransportConfig;
  readonly webtransport: transport.WebtransportConfig;
  readonly uniSse: transport.UniStreamConfig;
  readonly uniHttpStream: transport.UniStreamConfig;
  readonly uniWebsocket: transport.UniWebsocketConfig;
  readonly uniGrpc: transport.UniGrpcConfig;
  readonly emulation: transport.EmulationConfig;
  readonly admin: endpoint.AdminConfig;
  readonly prometheus: endpoint.PrometheusConfig;
  readonly health: endpoint.EndpointConfig;
  readonly swagger: endpoint.EndpointConfig;
  readonly debug: endpoint.EndpointConfig;
  readonly init: endpoint.EndpointConfig;
  readonly opentelemetry: endpoint.OpentelemetryConfig;
  readonly graphite: endpoint.GraphiteConfig;
  readonly usageStats: server.UsageStatsConfig;
  readonly node: server.NodeConfig;
  readonly shutdown: server.ShutdownConfig;
  readonly pidFile: string;
  readonly enableUnreleasedFeatures: boolean;
  readonly nats: NatsConfig;
  readonly authPolicy: AuthPolicyConfig;
  readonly gateway: GatewayConfig;
}

/** The option table: the one source of keys, types, defaults and reference text. */
export const optionTable: FieldsOf<Config> = {
  httpServer,
  log,
  engine,
  broker,
  presenceManager,
  mapBroker,
  controller,
  sharedPoll,
  client,
  channel,
  rpc,
  proxies: namedProxies,
  httpApi,
  grpcApi,
  consumers,
  websocket,
  sse,
  httpStream,
  webtransport,
  uniSse,
  uniHttpStream,
  uniWebsocket,
  uniGrpc,
  emulation,
  admin,
  prometheus,
  health,
  swagger,
  debug,
  init,
  opentelemetry,
  graphite,
  usageStats,
  node,
  shutdown,
  pidFile: text('File to write the process ID to.'),
  enableUnreleasedFeatures: bool('Unlock unfinished parts.'),
  nats,
  authPolicy,
  gateway,
};
