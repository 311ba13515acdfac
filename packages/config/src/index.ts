export type { Config } from './config.ts';
export { defaultConfig, loadConfig, type LoadConfigOptions, type LoadedConfig } from './load-config.ts';
export type { ChannelConfig, ChannelNamespace, ChannelProxies } from './option/channel.ts';
export type { ClientConfig, ConnectCodeTransform, SubscriptionTokenConfig, TokenConfig } from './option/client.ts';
export type { AuthPolicyConfig, GatewayConfig, NatsConfig } from './option/cluster.ts';
export type {
  AdminConfig,
  EndpointConfig,
  GraphiteConfig,
  GrpcApiConfig,
  HttpApiConfig,
  PrometheusConfig,
  SharedPollConfig,
} from './option/endpoint.ts';
export type { StringMap } from './option/field.ts';
export type {
  NamedProxyConfig,
  ProxyConfig,
  RpcConfig,
  RpcNamespace,
  RpcNamespaceOptions,
  StatusTransform,
  SwitchedProxyConfig,
} from './option/proxy.ts';
export type {
  ClientCommandLimitConfig,
  LimitConfig,
  RateLimitConfig,
  UserCommandLimitConfig,
} from './option/rate-limit.ts';
export type { HttpServerConfig, LogConfig, NodeConfig, ShutdownConfig } from './option/server.ts';
export type { TlsConfig } from './option/tls.ts';
export type {
  ConnectCodeResponse,
  EmulationConfig,
  StreamTransportConfig,
  UniGrpcConfig,
  UniStreamConfig,
  UniWebsocketConfig,
  WebsocketConfig,
  WebsocketTuning,
  WebtransportConfig,
} from './option/transport.ts';
export { ConfigError, type ConfigStage } from './read/config-error.ts';
export { formatGoDuration, parseDuration } from './read/go-duration.ts';
export { configFileText, type ConfigFormat, formatConfigFile } from './reference/default-file.ts';
export { defaultEnv, type DefaultEnvOptions } from './reference/default-env.ts';
export { configJsonSchema } from './reference/json-schema.ts';
export { configReferenceMarkdown, configurationPage, type MarkdownOptions } from './reference/markdown.ts';
