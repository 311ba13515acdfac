import type { ProxyConfig, TlsConfig } from '@carillon/config';
import { ProtocolViolation } from '@carillon/protocol/codes';
import { formatTraceparent, TRACEPARENT, TRACESTATE, type TraceContext } from '@carillon/service-kit/tracing';
import { Agent, errors, type Dispatcher } from 'undici';

import { backendFailure, encodeFailure } from './backend-failure.ts';
import { MAX_REPLY_BYTES, type Backend, type BackendCall, type ReplyEnvelope } from './backend.ts';
import { selectHeaders, type RequestHeaders } from './request-headers.ts';
import { transformStatus } from './status-transform.ts';

/** Connections per host, busy and idle together; also the largest useful number of calls in flight. */
export const MAX_CONNECTIONS_PER_HOST = 255;

/** There are firewalls that refuse requests without one. Of a client or of the configuration where they give one. */
const USER_AGENT = 'carillon';

/** As many as Go's client follows. */
const MAX_REDIRECTS = 10;
/** A reply nobody reads is read to its end up to here, so that the connection can serve again. */
const MAX_DISCARDED_BYTES = 64 * 1024;

interface HttpRequest {
  readonly url: URL;
  readonly method: 'POST' | 'GET';
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Uint8Array | undefined;
}

/** JSON by POST (proxy.md §3.1): one pool of keep-alive connections, exactly status 200 succeeds. */
export function createHttpBackend(options: ProxyConfig): Backend {
  const endpoint = new URL(options.endpoint);
  const headersFor = selectHeaders({ ...options, fixed: options.http.staticHeaders });
  const agent = new Agent({
    connections: MAX_CONNECTIONS_PER_HOST,
    pipelining: 1,
    allowH2: false,
    // The deadline of the exchange is the only one.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: options.timeoutMs, ...tlsOptions(options.http.tls) },
  });

  async function exchange<Message, Result>(
    { method, message, origin, trace }: BackendCall<Message, Result>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ReplyEnvelope<Result>> {
    const headers = { selected: headersFor(origin), trace };
    const request = encodeRequest(endpoint, headers, () => method.http.request.writeJson(message));
    const response = await send(agent, request, signal);
    if (response.statusCode !== 200) {
      await discardBody(response, signal);
      const transformed = transformStatus(response.statusCode, options.http.statusToCodeTransforms);
      if (transformed !== undefined) return transformed;
      throw backendFailure('proxy_status', `status ${response.statusCode}`);
    }
    return decodeReply(await readBody(response), (json) => method.http.response.readJson(json));
  }

  return { protocol: 'http', exchange, reset: () => undefined, close: () => agent.destroy() };
}

function tlsOptions(tls: TlsConfig) {
  const minVersion = 'TLSv1.2' as const;
  if (!tls.enabled) return { minVersion };
  return {
    minVersion,
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(tls.serverCaPem === '' ? {} : { ca: tls.serverCaPem }),
    ...(tls.certPem === '' ? {} : { cert: tls.certPem, key: tls.keyPem }),
    ...(tls.serverName === '' ? {} : { servername: tls.serverName }),
  };
}

interface ChosenHeaders {
  readonly selected: RequestHeaders;
  readonly trace: TraceContext | undefined;
}

function encodeRequest(url: URL, { selected, trace }: ChosenHeaders, encode: () => Uint8Array): HttpRequest {
  const headers: Record<string, readonly string[]> = selected.has('user-agent') ? {} : { 'User-Agent': [USER_AGENT] };
  for (const [key, { name, values }] of selected) {
    // Our span takes the place of the client's, whose child it is.
    if (trace === undefined || key !== TRACEPARENT) headers[name] = values;
  }
  if (trace !== undefined) headers[TRACEPARENT] = [formatTraceparent(trace)];
  if (trace?.state !== undefined && !selected.has(TRACESTATE)) headers[TRACESTATE] = [trace.state];
  if (url.username !== '' && !selected.has('authorization')) headers['Authorization'] = [basicCredentials(url)];
  headers['Content-Type'] = ['application/json'];
  try {
    return { url, method: 'POST', headers, body: encode() };
  } catch (error) {
    throw encodeFailure(error);
  }
}

function basicCredentials({ username, password }: URL): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** Follows redirects: 301, 302 and 303 turn into a GET without body, 307 and 308 repeat the POST. */
async function send(agent: Agent, first: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  let request = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await sendOnce(agent, request, signal);
    const next = redirected(request, response);
    if (next === undefined) return response;
    await discardBody(response, signal);
    request = next;
  }
  throw backendFailure('proxy_status', `more than ${MAX_REDIRECTS} redirects`);
}

async function sendOnce(agent: Agent, request: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { url, method, headers, body } = request;
  try {
    return await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: toUndici(headers),
      body: body ?? null,
      signal,
    });
  } catch (error) {
    // A deadline or a close of ours: the reason says which.
    if (signal.aborted) throw signal.reason;
    if (error instanceof errors.InvalidArgumentError) {
      throw backendFailure('proxy_unencodable', `a header cannot be sent: ${error.message}`, error);
    }
    throw unreachable(error);
  }
}

function toUndici(headers: HttpRequest['headers']): Record<string, string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.map(headerBytes)]));
}

/** The UTF-8 bytes of a value, one character each: undici writes so, and clients put UTF-8 into cookies. */
function headerBytes(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

function redirected(request: HttpRequest, { statusCode, headers }: Dispatcher.ResponseData): HttpRequest | undefined {
  const keepsMethod = statusCode === 307 || statusCode === 308;
  if (!keepsMethod && statusCode !== 301 && statusCode !== 302 && statusCode !== 303) return undefined;
  const location = headers['location'];
  if (typeof location !== 'string') return undefined;
  const url = URL.parse(location, request.url.href);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw backendFailure('proxy_status', `status ${statusCode} to an address that is not http`);
  }
  const passed = Object.entries(request.headers).filter(([name]) => mayFollow(name, request.url, { url, keepsMethod }));
  return {
    url,
    method: keepsMethod ? request.method : 'GET',
    headers: Object.fromEntries(passed),
    body: keepsMethod ? request.body : undefined,
  };
}

const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Credentials stay with the host they were meant for; without a body there is no type of one. */
function mayFollow(name: string, from: URL, to: { url: URL; keepsMethod: boolean }): boolean {
  const key = name.toLowerCase();
  if (key === 'content-type') return to.keepsMethod;
  return to.url.hostname === from.hostname || !CREDENTIAL_HEADERS.has(key);
}

async function discardBody({ body }: Dispatcher.ResponseData, signal: AbortSignal): Promise<void> {
  try {
    await body.dump({ limit: MAX_DISCARDED_BYTES, signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : unreachable(error);
  }
}

async function readBody(response: Dispatcher.ResponseData): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      const bytes: unknown = chunk;
      if (!(bytes instanceof Uint8Array)) throw new TypeError('a body is made of bytes');
      size += bytes.length;
      // Leaving the loop destroys the body and with it the connection.
      if (size > MAX_REPLY_BYTES) break;
      chunks.push(bytes);
    }
  } catch (error) {
    throw unreachable(error);
  }
  if (size > MAX_REPLY_BYTES) throw backendFailure('proxy_bad_reply', `reply of more than ${MAX_REPLY_BYTES} bytes`);
  return Buffer.concat(chunks, size);
}

function decodeReply<Result>(
  json: Uint8Array,
  read: (json: Uint8Array) => ReplyEnvelope<Result>,
): ReplyEnvelope<Result> {
  try {
    return read(json);
  } catch (error) {
    if (error instanceof ProtocolViolation) throw backendFailure('proxy_bad_reply', error.message, error);
    throw error;
  }
}

function unreachable(error: unknown): Error {
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return backendFailure('proxy_unreachable', `no answer: ${reason}`, error);
}
