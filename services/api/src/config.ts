import type { Config, TlsConfig } from '@carillon/config';
import type { PublicationDataFormat } from '@carillon/protocol/channel';
import type { AdminSettings } from './http/admin/admin-routes.ts';
import type { SwaggerSettings } from './http/swagger/swagger-routes.ts';

/** How API errors are answered unless a request asks otherwise: in the reply, or as a status of the transport. */
export type ErrorMode = 'reply' | 'transport';

/** What the methods read of the `channel` group besides the namespaces. */
export interface ChannelDefaults {
  readonly dataFormat: PublicationDataFormat;
  /** For namespaces without one of their own. */
  readonly historyMetaTtlMs: number;
}

export interface HttpApiSettings {
  readonly isDisabled: boolean;
  /** Without a trailing slash; empty: methods are at the root. */
  readonly prefix: string;
  /** Empty: no request is let in, unless insecure. */
  readonly key: string;
  readonly isInsecure: boolean;
  readonly errorMode: ErrorMode;
  readonly swagger: SwaggerSettings;
}

export interface GrpcApiSettings {
  readonly isEnabled: boolean;
  /** Empty: all interfaces. */
  readonly address: string;
  readonly port: number;
  /** Empty: anybody may call. */
  readonly key: string;
  readonly errorMode: ErrorMode;
  readonly hasReflection: boolean;
  readonly maxReceiveBytes: number;
  readonly tls: TlsConfig;
}

/** One HTTP port of an api process and what is served there. */
export interface ListenerSettings {
  /** Empty: all interfaces. */
  readonly address: string;
  readonly port: number;
  readonly tls: TlsConfig;
  readonly servesApi: boolean;
  readonly servesAdmin: boolean;
  /** Health, metrics, and the page of the API. */
  readonly servesOps: boolean;
}

export interface ApiSettings {
  /** What the open edition of the reference does not know is known here. */
  readonly hasCommercialMethods: boolean;
  readonly http: HttpApiSettings;
  readonly admin: AdminSettings;
  readonly grpc: GrpcApiSettings;
  readonly listeners: readonly ListenerSettings[];
  readonly healthPath: string;
  readonly metricsPath: string;
  readonly channel: ChannelDefaults;
}

const DEFAULT_GRPC_RECEIVE_BYTES = 4 * 1024 * 1024;

/** What this service reads of the configuration. */
export function apiSettings(config: Config): ApiSettings {
  const { httpApi, grpcApi, health, prometheus, swagger } = config;
  return {
    hasCommercialMethods: httpApi.commercialMethods,
    http: {
      isDisabled: httpApi.disabled,
      prefix: httpApi.handlerPrefix.replace(/\/+$/, ''),
      key: httpApi.key,
      isInsecure: httpApi.insecure,
      errorMode: errorMode(httpApi.errorMode),
      swagger: { isEnabled: swagger.enabled, prefix: swagger.handlerPrefix.replace(/\/+$/, '') },
    },
    admin: adminSettings(config),
    grpc: {
      isEnabled: grpcApi.enabled,
      address: grpcApi.address,
      port: grpcApi.port,
      key: grpcApi.key,
      errorMode: errorMode(grpcApi.errorMode),
      hasReflection: grpcApi.reflection,
      maxReceiveBytes: grpcApi.maxReceiveMessageSize > 0 ? grpcApi.maxReceiveMessageSize : DEFAULT_GRPC_RECEIVE_BYTES,
      tls: grpcApi.tls,
    },
    listeners: listeners(config),
    healthPath: health.handlerPrefix === '' ? '/health' : health.handlerPrefix,
    metricsPath: prometheus.handlerPrefix === '' ? '/metrics' : prometheus.handlerPrefix,
    channel: channelDefaults(config),
  };
}

function adminSettings({ admin }: Config): AdminSettings {
  return {
    isEnabled: admin.enabled,
    prefix: admin.handlerPrefix.replace(/\/+$/, ''),
    password: admin.password,
    secret: admin.secret,
    isInsecure: admin.insecure,
  };
}

export function channelDefaults({ channel }: Pick<Config, 'channel'>): ChannelDefaults {
  return { dataFormat: dataFormat(channel.publicationDataFormat), historyMetaTtlMs: channel.historyMetaTtlMs };
}

/** Ports of a process that holds nothing but this service (channels-and-config §3.12). */
function listeners({ httpServer, httpApi, admin }: Config): readonly ListenerSettings[] {
  const main = { address: httpServer.address, port: httpServer.port, tls: httpServer.tls };
  if (httpServer.internalPort === 0) return [{ ...main, servesApi: true, servesAdmin: true, servesOps: true }];
  const isAdminExternal = admin.enabled && admin.external;
  const internal: ListenerSettings = {
    address: httpServer.internalAddress,
    port: httpServer.internalPort,
    tls: internalTls(httpServer),
    servesApi: !httpApi.external,
    servesAdmin: !isAdminExternal,
    servesOps: true,
  };
  if (!httpApi.external && !isAdminExternal) return [internal];
  return [{ ...main, servesApi: httpApi.external, servesAdmin: isAdminExternal, servesOps: false }, internal];
}

function internalTls({ tls, tlsExternal, internalTls }: Config['httpServer']): TlsConfig {
  if (internalTls.enabled) return internalTls;
  return tlsExternal ? { ...tls, enabled: false } : tls;
}

function errorMode(text: string): ErrorMode {
  return text === 'transport' ? 'transport' : 'reply';
}

function dataFormat(text: string): PublicationDataFormat {
  return text === 'json' || text === 'json_object' || text === 'binary' ? text : '';
}
