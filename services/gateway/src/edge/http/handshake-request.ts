import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { HandshakeRequest } from '../socket.ts';

export interface HandshakeOptions {
  readonly trustedProxyHops: number;
  readonly proxyProtocol: boolean;
  readonly keptHeaders?: ReadonlySet<string> | undefined;
}

type Peer = Pick<HttpResponse, 'getRemoteAddress' | 'getProxiedRemoteAddress'>;

/** Shared by all connections that keep none, since there are many. */
const NO_HEADERS: HandshakeRequest['headers'] = new Map();

/** Copies what outlives the handler: uWS requests are gone when it returns. */
export function captureHandshake(
  res: Peer,
  req: Pick<HttpRequest, 'forEach'>,
  options: HandshakeOptions,
): HandshakeRequest {
  // Empty where the proxy spoke for itself, as in a health check.
  const told = options.proxyProtocol ? addressText(new Uint8Array(res.getProxiedRemoteAddress())) : '';
  return {
    headers: keptOf(req, options.keptHeaders, told),
    remoteAddress: remoteAddress({ res, req, told }, options.trustedProxyHops),
  };
}

function keptOf(
  req: Pick<HttpRequest, 'forEach'>,
  kept: HandshakeOptions['keptHeaders'],
  told: string,
): HandshakeRequest['headers'] {
  if (kept?.size === 0) return NO_HEADERS;
  let headers: Map<string, string[]> | undefined;
  const keep = (name: string, value: string): void => {
    if (kept !== undefined && !kept.has(name)) return;
    headers ??= new Map();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  };
  // A proxy that speaks the PROXY protocol changes no headers: what it would have said is said for it, for the backend.
  req.forEach((name, value) => {
    if (told === '' || name !== 'x-real-ip') keep(name, value);
  });
  if (told !== '') {
    keep('x-real-ip', told);
    keep('x-forwarded-for', told);
  }
  return headers ?? NO_HEADERS;
}

interface Origin {
  readonly res: Peer;
  readonly req: Pick<HttpRequest, 'forEach'>;
  /** By the PROXY protocol; may be empty. */
  readonly told: string;
}

function remoteAddress({ res, req, told }: Origin, trustedProxyHops: number): string {
  if (trustedProxyHops > 0) {
    const forwarded = forwardedAddress(req, trustedProxyHops);
    if (forwarded !== undefined) return forwarded;
  }
  return told === '' ? addressText(new Uint8Array(res.getRemoteAddress())) : told;
}

/** Each proxy appends whom it heard from, so with N trusted proxies the N-th entry from the right is the client. */
function forwardedAddress(req: Pick<HttpRequest, 'forEach'>, trustedProxyHops: number): string | undefined {
  const lines: string[] = [];
  req.forEach((name, value) => {
    if (name === 'x-forwarded-for') lines.push(value);
  });
  const entries = lines
    .join(',')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.at(-Math.min(trustedProxyHops, entries.length));
}

/** 4 or 16 bytes as text; IPv4 clients of a dual-stack listener are shown as IPv4. */
function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return '';
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (isMapped) return bytes.subarray(12).join('.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16)).join(':');
  // The canonical short form needs a parser of addresses; URL has one.
  return new URL(`http://[${groups}]/`).hostname.slice(1, -1);
}
