import type { Config, StreamTransportConfig, TlsConfig, UniStreamConfig, WebsocketTuning } from '@carillon/config';
import { proxiesOf } from './config.ts';
import type {
  EdgeSettings,
  ListenSettings,
  StreamSettings,
  TlsSettings,
  UniStreamSettings,
  WebsocketSettings,
} from './edge/edge-settings.ts';

/** What the edge reads of the configuration (channels-and-config §3.4 to §3.6). */
export function edgeSettings(config: Config): EdgeSettings {
  const { client, emulation, init } = config;
  return {
    ...listeners(config),
    sharePort: config.gateway.workers > 1,
    allowedOrigins: client.allowedOrigins,
    connectionLimit: client.connectionLimit,
    connectionRateLimit: client.connectionRateLimit,
    queueMaxSize: client.queueMaxSize,
    pingIntervalMs: client.pingIntervalMs,
    pongTimeoutMs: client.pongTimeoutMs,
    trustedProxyHops: config.gateway.trustedProxyHops,
    proxyProtocol: config.gateway.proxyProtocol,
    keptHeaders: keptHeaders(config),
    keptMetadata: keptMetadata(config),
    websocket: websocket(config.websocket, {
      enabled: !config.websocket.disabled,
      handlerPrefix: config.websocket.handlerPrefix,
    }),
    httpStream: stream(config.httpStream),
    sse: stream(config.sse),
    emulation,
    uniWebsocket: { ...config.uniWebsocket, ...websocket(config.uniWebsocket, config.uniWebsocket) },
    uniSse: uniStream(config.uniSse),
    uniHttpStream: uniStream(config.uniHttpStream),
    uniGrpc: {
      enabled: config.uniGrpc.enabled,
      address: config.uniGrpc.address,
      port: config.uniGrpc.port,
      maxReceiveMessageSize: config.uniGrpc.maxReceiveMessageSize,
      tls: tls(config.uniGrpc.tls),
    },
    init,
  };
}

function listeners({ httpServer }: Config): Pick<EdgeSettings, 'listen' | 'internalListen'> {
  const main = tls(httpServer.tls);
  const listen: ListenSettings = { address: httpServer.address, port: httpServer.port, tls: main };
  if (httpServer.internalPort === 0 && httpServer.internalAddress === '') return { listen };
  const internal = tls(httpServer.internalTls) ?? (httpServer.tlsExternal ? undefined : main);
  return {
    listen,
    internalListen: {
      address: httpServer.internalAddress === '' ? httpServer.address : httpServer.internalAddress,
      port: httpServer.internalPort === 0 ? httpServer.port : httpServer.internalPort,
      tls: internal,
    },
  };
}

function tls({ enabled, certPem, keyPem, clientCaPem }: TlsConfig): TlsSettings | undefined {
  return enabled ? { certPem, keyPem, clientCaPem } : undefined;
}

function websocket(
  tuning: WebsocketTuning,
  { enabled, handlerPrefix }: Pick<WebsocketSettings, 'enabled' | 'handlerPrefix'>,
): WebsocketSettings {
  return {
    enabled,
    handlerPrefix,
    messageSizeLimit: tuning.messageSizeLimit,
    compression: tuning.compression,
    compressionMinSize: tuning.compressionMinSize,
    compressionLevel: tuning.compressionLevel,
    decompressedMessageSizeLimit: tuning.decompressedMessageSizeLimit,
    writeTimeoutMs: tuning.writeTimeoutMs,
  };
}

function stream({ enabled, handlerPrefix, maxRequestBodySize }: StreamTransportConfig): StreamSettings {
  return { enabled, handlerPrefix, maxRequestBodySize };
}

function uniStream(config: UniStreamConfig): UniStreamSettings {
  return { ...stream(config), connectCodeToHttpResponse: refusals(config.connectCodeToHttpResponse) };
}

function refusals({
  enabled,
  transforms,
}: UniStreamConfig['connectCodeToHttpResponse']): UniStreamSettings['connectCodeToHttpResponse'] {
  if (!enabled) return undefined;
  return new Map(transforms.map(({ code, to }) => [code, { statusCode: to.statusCode, body: to.body }]));
}

function keptMetadata(config: Config): ReadonlySet<string> {
  return new Set(proxiesOf(config).flatMap((proxy) => proxy.grpcMetadata.map((name) => name.toLowerCase())));
}

/** Header names that something may ask for later; nothing else is kept with a connection. */
function keptHeaders(config: Config): ReadonlySet<string> {
  const { client } = config;
  const names = proxiesOf(config).flatMap((proxy) => proxy.httpHeaders.map((name) => name.toLowerCase()));
  return new Set(client.userIdHttpHeader === '' ? names : [...names, client.userIdHttpHeader.toLowerCase()]);
}
