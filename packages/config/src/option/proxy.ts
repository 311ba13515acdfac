import {
  bool,
  duration,
  type FieldsOf,
  group,
  int,
  items,
  list,
  map,
  namedItems,
  type GroupField,
  type ItemsField,
  type StringMap,
  text,
} from './field.ts';
import { tls, type TlsConfig } from './tls.ts';

/** One row of `http.status_to_code_transforms`: exactly one of the two codes is non-zero (proxy.md 5). */
export interface StatusTransform {
  readonly statusCode: number;
  readonly toError: { readonly code: number; readonly message: string; readonly temporary: boolean };
  readonly toDisconnect: { readonly code: number; readonly reason: string };
}

/** How to reach one backend endpoint (proxy.md 2.1). `timeoutMs` covers the whole exchange. */
export interface ProxyConfig {
  readonly endpoint: string;
  readonly timeoutMs: number;
  readonly httpHeaders: readonly string[];
  readonly emulatedHeaders: readonly string[];
  readonly grpcMetadata: readonly string[];
  readonly binaryEncoding: boolean;
  readonly includeConnectionMeta: boolean;
  readonly http: {
    readonly tls: TlsConfig;
    readonly staticHeaders: StringMap;
    readonly statusToCodeTransforms: readonly StatusTransform[];
  };
  readonly grpc: {
    readonly tls: TlsConfig;
    readonly credentialsKey: string;
    readonly credentialsValue: string;
    readonly compression: boolean;
    readonly staticMetadata: StringMap;
  };
}

/** A proxy with a switch of its own: connect and refresh. */
export interface SwitchedProxyConfig extends ProxyConfig {
  readonly enabled: boolean;
}

/** An entry of `proxies`. */
export interface NamedProxyConfig extends ProxyConfig {
  readonly name: string;
}

const proxyFields: FieldsOf<ProxyConfig> = {
  endpoint: text('`http(s)://…` for HTTP, anything else (`grpc://host:port`) for GRPC.'),
  timeoutMs: duration('Limit for one whole exchange.', '1s'),
  httpHeaders: list('Names of transport headers to pass on.'),
  emulatedHeaders: list('Names taken from the header map of the connect frame, which the client controls.'),
  grpcMetadata: list('Metadata keys to pass on, in lower case.'),
  binaryEncoding: bool('Send payloads as base64 (`b64data`).'),
  includeConnectionMeta: bool('Send the connection `meta`.'),
  http: group('Options of HTTP endpoints.', {
    tls: tls('TLS towards the endpoint.'),
    staticHeaders: map('Headers added to every request.'),
    statusToCodeTransforms: items('Turns HTTP statuses into errors or disconnects for the client.', {
      statusCode: int('HTTP status to match.'),
      toError: group('Client error to answer with.', {
        code: int('Error code.'),
        message: text('Error message, ASCII, at most 123 bytes.'),
        temporary: bool('Whether the client may retry.'),
      }),
      toDisconnect: group('Disconnect to answer with.', {
        code: int('Disconnect code.'),
        reason: text('Reason, ASCII, at most 123 bytes.'),
      }),
    }),
  }),
  grpc: group('Options of GRPC endpoints.', {
    tls: tls('TLS towards the endpoint.'),
    credentialsKey: text('Key of an extra metadata pair sent with each call.'),
    credentialsValue: text('Value of that pair.'),
    compression: bool('Compress requests with gzip.'),
    staticMetadata: map('Metadata added to every call.'),
  }),
};

/** A proxy object with its own description. */
export const proxy = (doc: string): GroupField<FieldsOf<ProxyConfig>> => group(doc, proxyFields);

/** A proxy object that has `enabled`. */
export const switchedProxy = (doc: string): GroupField<FieldsOf<SwitchedProxyConfig>> =>
  group(doc, { enabled: bool('Turns the proxy on.'), ...proxyFields });

/** `proxies`: endpoints that `*_proxy_name` options refer to. */
export const namedProxies: ItemsField<FieldsOf<NamedProxyConfig>> = namedItems(
  'Named proxies; `*_proxy_name` options refer to them.',
  { name: text('Name: `[-a-zA-Z0-9_.]{2,}`, unique, not `default`.'), ...proxyFields },
);

/** `rpc` (channels-and-config.md 3.8). */
export interface RpcConfig {
  readonly proxy: ProxyConfig;
  readonly withoutNamespace: RpcNamespaceOptions;
  readonly namespaces: readonly RpcNamespace[];
  readonly namespaceBoundary: string;
  readonly ping: { readonly enabled: boolean; readonly method: string };
}
export interface RpcNamespaceOptions {
  readonly proxyEnabled: boolean;
  readonly proxyName: string;
}
export interface RpcNamespace extends RpcNamespaceOptions {
  readonly name: string;
}

const rpcOptions: FieldsOf<RpcNamespaceOptions> = {
  proxyEnabled: bool('Send RPC calls to a backend.'),
  proxyName: text('`default` is `rpc.proxy`; else an entry of `proxies`.', 'default'),
};

export const rpc: GroupField<FieldsOf<RpcConfig>> = group('Client RPC.', {
  proxy: proxy('The `default` proxy for RPC.'),
  withoutNamespace: group('Methods without a namespace.', rpcOptions),
  namespaces: namedItems('RPC namespaces.', {
    name: text('Name: `[-a-zA-Z0-9_.]{2,}`, unique.'),
    ...rpcOptions,
  }),
  namespaceBoundary: text('Ends the namespace part of a method name.', ':'),
  ping: group('A method that the server answers itself.', {
    enabled: bool('Turns it on.'),
    method: text('Name of the method.', 'ping'),
  }),
});
