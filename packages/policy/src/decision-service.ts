import type {
  ConnectRequest,
  ConnectResult,
  MapPublishRequest,
  MapPublishResult,
  MapRemoveRequest,
  MapRemoveResult,
  PublishRequest,
  PublishResult,
  RefreshRequest,
  RefreshResult,
  RpcRequest,
  RpcResult,
  SubRefreshRequest,
  SubRefreshResult,
  SubscribeRequest,
  SubscribeResult,
} from '@carillon/protocol/proxy';

import type { StreamAsk, StreamListener, SubscribeStream } from './subscribe-stream.ts';

/**
 * Every decision that needs the app backend (proxy.md). Gateways ask; auth-policy answers, in the same process or over
 * its internal gRPC service. Never rejects: a backend that is away, slow or talks nonsense is `failed`, and the caller
 * does what proxy.md §4 says for its kind. Answers come within the proxy's own timeout plus the hop's deadline.
 */
export interface DecisionService {
  connect(ask: Ask<ConnectRequest>): Promise<Decision<ConnectResult>>;
  refresh(ask: Ask<RefreshRequest>): Promise<Decision<RefreshResult>>;
  subscribe(ask: Ask<SubscribeRequest>): Promise<Decision<SubscribeResult>>;
  publish(ask: Ask<PublishRequest>): Promise<Decision<PublishResult>>;
  subRefresh(ask: Ask<SubRefreshRequest>): Promise<Decision<SubRefreshResult>>;
  rpc(ask: Ask<RpcRequest>): Promise<Decision<RpcResult>>;
  mapPublish(ask: Ask<MapPublishRequest>): Promise<Decision<MapPublishResult>>;
  mapRemove(ask: Ask<MapRemoveRequest>): Promise<Decision<MapRemoveResult>>;
  /** Opens a stream of the backend for one client and channel (proxy.md §6.7); its decision is like that of `subscribe`. */
  subscribeStream(ask: StreamAsk, listener: StreamListener): SubscribeStream;
  close(): Promise<void>;
}

/** A proxied request: the message with its fields filled as proxy.md §3.3 says, before headers and encoding rules. */
export interface Ask<Message> {
  /**
   * Raw payload in `data`, connection meta in `meta`: auth-policy moves the payload to `b64data` and drops `meta` as
   * the proxy's own options say.
   */
  readonly message: Message;
  /** `default` or the name of an entry of `proxies`. */
  readonly proxyName: string;
  readonly origin: AskOrigin;
  /** The span that asks, where there are traces. */
  readonly trace?: AskTrace | undefined;
}

/** A place in a trace, as the headers of W3C Trace Context write it. */
export interface AskTrace {
  readonly traceparent: string;
  /** '' = none. */
  readonly tracestate: string;
}

/** What the connection brought along, from which each proxy's allow-lists pick (proxy.md §3.2). */
export interface AskOrigin {
  /** Headers of the connection-establishing request, lower-case names. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** `headers` map of the connect frame: untrusted. */
  readonly emulatedHeaders: Readonly<Record<string, string>>;
  /** Metadata of a unidirectional gRPC connection, which has no HTTP headers. */
  readonly metadata?: ReadonlyMap<string, readonly string[]> | undefined;
}

export type Decision<Result> =
  /** The backend answered 200; `result` undefined where it was null or missing. */
  | { readonly kind: 'result'; readonly result: Result | undefined }
  | { readonly kind: 'error'; readonly code: number; readonly message: string; readonly temporary: boolean }
  | { readonly kind: 'disconnect'; readonly code: number; readonly reason: string }
  /** Time-out, refusal, non-200, bad JSON, overload: proxy.md §4. */
  | { readonly kind: 'failed'; readonly reason: string };
