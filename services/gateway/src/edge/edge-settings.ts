// What the edge is told by the configuration (channels-and-config.md §3.4 to §3.6): milliseconds, bytes, camel case.

/**
 * TLS of a listener, PEM text. `clientCaPem` not empty: clients must present a certificate signed by it, which only the gRPC
 * listener can demand; the others refuse to start.
 */
export interface TlsSettings {
  readonly certPem: string;
  readonly keyPem: string;
  readonly clientCaPem: string;
}

export interface ListenSettings {
  /** '' listens on all interfaces. */
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly tls?: TlsSettings | undefined;
}

export interface WebsocketTuning {
  /** Largest incoming message in bytes; a larger one closes with 1009. */
  readonly messageSizeLimit: number;
  readonly compression: boolean;
  /** Outgoing messages below this many bytes are not compressed. */
  readonly compressionMinSize: number;
  /** Largest incoming message after decompression; 0 is ten times `messageSizeLimit`. */
  readonly decompressedMessageSizeLimit: number;
  /** 1 to 9: how much memory a connection may have for compression; 1 and less is none of its own. */
  readonly compressionLevel: number;
  /** A client that takes nothing of what waits for it for so long is slow. */
  readonly writeTimeoutMs: number;
}

export interface WebsocketSettings extends WebsocketTuning {
  readonly enabled: boolean;
  readonly handlerPrefix: string;
}

export interface UniWebsocketSettings extends WebsocketSettings {
  readonly joinPushMessages: boolean;
  readonly disableDisconnectPush: boolean;
  readonly disableClosingHandshake: boolean;
}

export interface StreamSettings {
  readonly enabled: boolean;
  readonly handlerPrefix: string;
  readonly maxRequestBodySize: number;
}

/** A configured plain answer to a failed connect; an empty body becomes the reason text. */
export interface ConnectRefusal {
  readonly statusCode: number;
  readonly body: string;
}

export interface UniStreamSettings extends StreamSettings {
  /** Set: a failed connect is answered by status instead of a stream, by code of the error or disconnect. */
  readonly connectCodeToHttpResponse?: ReadonlyMap<number, ConnectRefusal> | undefined;
}

export interface UniGrpcSettings extends ListenSettings {
  readonly enabled: boolean;
  /** Bytes; 0 is 4 MiB. */
  readonly maxReceiveMessageSize: number;
}

/** What is kept of the request that makes a connection: lower-case names that sessions may ask for. Absent keeps all. */
export interface KeptNames {
  /** Fewer names are less memory a connection. */
  readonly keptHeaders?: ReadonlySet<string> | undefined;
  /** The same for the metadata of gRPC connections. */
  readonly keptMetadata?: ReadonlySet<string> | undefined;
}

export interface EdgeSettings extends KeptNames {
  readonly listen: ListenSettings;
  /** A listener of its own for what is mounted as internal; absent: the main one serves it (§3.12). */
  readonly internalListen?: ListenSettings | undefined;
  /** Several processes share the port (SO_REUSEPORT); otherwise a taken port is an error. */
  readonly sharePort: boolean;
  /** Globs on the lower-cased `Origin`; `*` allows all, an empty list refuses every request that has one. */
  readonly allowedOrigins: readonly string[];
  /** Connections of this node; 0 or less is no limit. */
  readonly connectionLimit: number;
  /** Size of the token bucket of new connections; 0 is no limit. */
  readonly connectionRateLimit: number;
  /** Bytes queued per connection before it is slow. */
  readonly queueMaxSize: number;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  /** Proxies in front whose X-Forwarded-For entries are believed; 0 believes none. */
  readonly trustedProxyHops: number;
  /** Believe the PROXY protocol header that a proxy in front puts before each connection. */
  readonly proxyProtocol: boolean;
  readonly websocket: WebsocketSettings;
  readonly httpStream: StreamSettings;
  readonly sse: StreamSettings;
  readonly emulation: { readonly handlerPrefix: string; readonly maxRequestBodySize: number };
  readonly uniWebsocket: UniWebsocketSettings;
  readonly uniSse: UniStreamSettings;
  readonly uniHttpStream: UniStreamSettings;
  readonly uniGrpc: UniGrpcSettings;
  readonly init: { readonly enabled: boolean; readonly handlerPrefix: string };
}
