import type { AskOrigin } from '@carillon/policy';

/** The options of a proxy that choose headers, for both transports (proxy.md §3.2). */
export interface HeaderOptions {
  readonly httpHeaders: readonly string[];
  readonly emulatedHeaders: readonly string[];
  readonly grpcMetadata: readonly string[];
  /** `http.static_headers` or `grpc.static_metadata`. */
  readonly fixed: Readonly<Record<string, string>>;
}

export interface RequestHeader {
  /** In canonical case. */
  readonly name: string;
  readonly values: readonly string[];
}

/** Headers of a request by lower-case name. */
export type RequestHeaders = ReadonlyMap<string, RequestHeader>;

/** Chooses the headers of one request. Compiled once per proxy. */
export type HeaderSelection = (origin: AskOrigin) => RequestHeaders;

// They belong to one connection, or our HTTP client sets them itself. Accept-Encoding is among them because nobody here
// would decompress the reply.
const NEVER_PASSED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Later sources override earlier ones, name by name: fixed headers, the untrusted header map of the connect frame, headers
 * of the transport, metadata of a connection that has no headers. Only listed names pass; case never matters.
 */
export function selectHeaders(options: HeaderOptions): HeaderSelection {
  const fixed = new Map<string, RequestHeader>();
  for (const [name, value] of Object.entries(options.fixed)) {
    const key = name.toLowerCase();
    if (!NEVER_PASSED.has(key)) fixed.set(key, { name: canonicalName(key), values: [value] });
  }
  const transport = listed(options.httpHeaders);
  const emulated = listed(options.emulatedHeaders);
  const metadata = listed(options.grpcMetadata);
  return (origin) => {
    const headers = new Map(fixed);
    if (emulated.size > 0) {
      for (const [name, value] of Object.entries(origin.emulatedHeaders)) passOn(headers, emulated, name, [value]);
    }
    for (const name of transport) passOn(headers, transport, name, origin.headers.get(name) ?? []);
    if (origin.headers.size === 0 && origin.metadata !== undefined) {
      for (const name of metadata) passOn(headers, metadata, name, origin.metadata.get(name) ?? []);
    }
    return headers;
  };
}

function listed(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()).filter((name) => !NEVER_PASSED.has(name)));
}

function passOn(
  headers: Map<string, RequestHeader>,
  allowed: ReadonlySet<string>,
  name: string,
  values: readonly string[],
): void {
  const key = name.toLowerCase();
  if (values.length > 0 && allowed.has(key)) headers.set(key, { name: canonicalName(key), values });
}

function canonicalName(name: string): string {
  return name.replaceAll(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
