import type { Config } from '../config.ts';
import { checkChannels } from './check-channels.ts';
import { checkProxies } from './check-proxies.ts';
import { checkRateLimits } from './check-rate-limits.ts';
import { checkTokens } from './check-tokens.ts';
import { checkNames, checkReason, CONSUMER_NAME_PATTERN, type Complaints } from './rule.ts';

/** Every rule between options (channels-and-config.md 1.13), as sentences that begin with the key. */
export function* checkConfig(config: Config, given: ReadonlySet<string>): Complaints {
  yield* checkChannels(config, given);
  yield* checkProxies(config);
  yield* checkTokens(config);
  yield* checkServer(config);
  yield* checkConnectCodes(config);
  yield* checkRateLimits(config);
  yield* checkNames('consumers', consumerNames(config), CONSUMER_NAME_PATTERN);
}

function* checkServer(config: Config): Complaints {
  const { client, gateway, httpServer, nats } = config;
  if (client.pingIntervalMs <= client.pongTimeoutMs) yield 'client.ping_interval must be above client.pong_timeout';
  if (httpServer.h2cExternal) {
    if (!hasInternalPort(config)) yield 'http_server.h2c_external needs a separate http_server.internal_port';
    if (httpServer.tls.enabled) yield 'http_server.h2c_external excludes http_server.tls';
  }
  if (gateway.proxyProtocol && httpServer.tls.enabled) {
    yield 'gateway.proxy_protocol excludes http_server.tls: the header comes before the handshake';
  }
  for (const [key, value] of [
    ['nats.request_timeout', nats.requestTimeoutMs],
    ['nats.connect_timeout', nats.connectTimeoutMs],
  ] as const) {
    if (value < 0) yield `${key} must not be negative`;
  }
}

function hasInternalPort({ httpServer }: Config): boolean {
  return httpServer.internalPort !== 0 && httpServer.internalPort !== httpServer.port;
}

function* checkConnectCodes(config: Config): Complaints {
  const path = 'client.connect_code_to_unidirectional_disconnect.transforms';
  for (const [index, row] of config.client.connectCodeToUnidirectionalDisconnect.transforms.entries()) {
    if (row.code === 0) yield `${path}[${index}].code must be set`;
    if (row.to.code === 0) yield `${path}[${index}].to.code must be set`;
    yield* checkReason(`${path}[${index}].to.reason`, row.to.reason);
  }
  for (const [key, transport] of [
    ['uni_sse', config.uniSse],
    ['uni_http_stream', config.uniHttpStream],
  ] as const) {
    for (const [index, row] of transport.connectCodeToHttpResponse.transforms.entries()) {
      const place = `${key}.connect_code_to_http_response.transforms[${index}]`;
      if (row.code === 0) yield `${place}.code must be set`;
      if (row.to.statusCode === 0) yield `${place}.to.status_code must be set`;
    }
  }
}

function consumerNames(config: Config): string[] {
  return config.consumers.map((item) => {
    const name = typeof item === 'object' && item !== null && 'name' in item ? item.name : '';
    return typeof name === 'string' ? name : '';
  });
}
