import { readFileSync } from 'node:fs';

import {
  credsAuthenticator,
  nkeyAuthenticator,
  type Authenticator,
  type ConnectionOptions,
  type TlsOptions,
} from '@nats-io/nats-core';
import { OperationalError } from '@carillon/service-kit';

/** How to reach NATS. At most one kind of credentials counts, in the order of the fields; else those of the URL. */
export interface NatsConnectOptions {
  /** One or more `nats://` or `tls://` URLs (commas allowed inside one); may carry `user:password@` or `token@`. */
  readonly url: string | readonly string[];
  /** Path of a credentials file (JWT and seed). */
  readonly credsFile?: string | undefined;
  /** Seed of an nkey user. */
  readonly nkeySeed?: string | undefined;
  readonly token?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: NatsTlsOptions | undefined;
  /** Shown in the server's monitoring. */
  readonly name?: string | undefined;
}

/** Present (even empty): only encrypted connections. */
export interface NatsTlsOptions {
  /** PEM text. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** TLS before the first byte of the protocol; the server must be set so. */
  readonly handshakeFirst?: boolean | undefined;
  /** Name in the server's certificate, and the one it is asked for (SNI). Default: the host of the URL. */
  readonly serverName?: string | undefined;
  /** Any certificate will do: nobody knows who the server is. Development only. */
  readonly insecureSkipVerify?: boolean | undefined;
}

const RECONNECT_WAIT_MS = 250;
const RECONNECT_JITTER_MS = 250;
/** A server that is gone without a word is given up after three of these: as long as an election takes. */
const PING_INTERVAL_MS = 3_000;
const DIAL_TIMEOUT_MS = 5_000;

/** What the client library wants. Throws an OperationalError when a file can't be read or a URL can't be parsed. */
export function toConnectionOptions(options: NatsConnectOptions, purpose: string): ConnectionOptions {
  const urls = (typeof options.url === 'string' ? [options.url] : options.url)
    .flatMap((list) => list.split(','))
    .map((url) => parseUrl(url.trim()));
  const tls = tlsOptions(
    options.tls,
    urls.some((url) => url.protocol === 'tls:'),
  );
  return {
    servers: urls.map((url) => url.host),
    name: `${options.name ?? 'carillon'}-${purpose}`,
    timeout: DIAL_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    reconnectJitterTLS: RECONNECT_JITTER_MS,
    // Credentials may be rotated while we are connected: go on trying.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    ...(tls === undefined ? {} : { tls }),
    ...credentials(options, urls[0]),
  };
}

/** Hosts for log lines: without the credentials of the URLs. */
export function hostsOf(options: NatsConnectOptions): string {
  return [toConnectionOptions({ url: options.url }, 'hosts').servers].flat().join(',');
}

function parseUrl(text: string): URL {
  const withScheme = text.includes('://') ? text : `nats://${text}`;
  try {
    const url = new URL(withScheme);
    if (url.hostname === '') throw new RangeError('no host');
    if (url.port === '') url.port = '4222';
    return url;
  } catch (cause) {
    // The text may hold a password: it is not repeated here.
    throw new OperationalError('nats_bad_url', 'a NATS URL can not be parsed', { cause, retriable: false });
  }
}

function credentials(options: NatsConnectOptions, url: URL | undefined): ConnectionOptions {
  if (options.credsFile !== undefined) return { authenticator: credsFileAuthenticator(options.credsFile) };
  if (options.nkeySeed !== undefined) {
    return { authenticator: nkeyAuthenticator(new TextEncoder().encode(options.nkeySeed)) };
  }
  if (options.token !== undefined) return { token: options.token };
  if (options.user !== undefined) return { user: options.user, pass: options.password ?? '' };
  if (url === undefined || url.username === '') return {};
  const user = decodeURIComponent(url.username);
  return url.password === '' ? { token: user } : { user, pass: decodeURIComponent(url.password) };
}

/** Read anew at each connect, so that a rotated file counts without a restart. */
function credsFileAuthenticator(path: string): Authenticator {
  const read = (): Uint8Array => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new OperationalError('nats_creds_unreadable', `credentials file ${path} can not be read`, {
        cause,
        retriable: false,
      });
    }
  };
  let last = read();
  return (nonce) => {
    try {
      last = read();
    } catch (error) {
      // While the file is being replaced the last good one counts; the server decides.
      if (!(error instanceof OperationalError)) throw error;
    }
    return credsAuthenticator(last)(nonce);
  };
}

/** What the client library passes on to `connect` of node:tls, besides what it knows of. */
interface NodeTlsOptions extends TlsOptions {
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

function tlsOptions(tls: NatsTlsOptions | undefined, isTlsUrl: boolean): NodeTlsOptions | undefined {
  if (tls === undefined) return isTlsUrl ? {} : undefined;
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.handshakeFirst === undefined ? {} : { handshakeFirst: tls.handshakeFirst }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
  };
}
