import type { AskOrigin, StreamListener } from '@carillon/policy';
import type {
  DisconnectBody,
  ErrorBody,
  ProxyMethod,
  SubscribeRequest,
  SubscribeResponse,
} from '@carillon/protocol/proxy';
import type { GrpcMethod } from '@carillon/protocol/wire';
import type { TraceContext } from '@carillon/service-kit/tracing';

/** Events an application backend can be asked about; also the `type` label of metrics. */
export type ProxyKind =
  | 'connect'
  | 'refresh'
  | 'subscribe'
  | 'subscribe_stream'
  | 'publish'
  | 'sub_refresh'
  | 'rpc'
  | 'map_publish'
  | 'map_remove';

/** What every reply looks like (proxy.md §3.4). */
export interface ReplyEnvelope<Result> {
  readonly result?: Result | undefined;
  readonly error?: ErrorBody | undefined;
  readonly disconnect?: DisconnectBody | undefined;
}

/** One kind of question with its two encodings. */
export interface BackendMethod<Message, Result> {
  readonly kind: ProxyKind;
  readonly http: ProxyMethod<Message, ReplyEnvelope<Result>>;
  readonly grpc: GrpcMethod<Message, ReplyEnvelope<Result>>;
}

export interface BackendCall<Message, Result> {
  readonly method: BackendMethod<Message, Result>;
  /** Final: encoding rules and `meta` are dealt with. */
  readonly message: Message;
  readonly origin: AskOrigin;
  /** The span that asked for it. */
  readonly parent?: TraceContext | undefined;
  /** Sent along as `traceparent` and `tracestate`; undefined: none is. */
  readonly trace?: TraceContext | undefined;
}

export interface StreamCall {
  /** Final: encoding rules and `meta` are dealt with. */
  readonly message: SubscribeRequest;
  readonly origin: AskOrigin;
  readonly isBidirectional: boolean;
  /** The span that asked for it. */
  readonly parent?: TraceContext | undefined;
  /** Sent along as `traceparent` and `tracestate`; undefined: none is. */
  readonly trace?: TraceContext | undefined;
}

/** A stream of the backend's publications. After `first` was rejected there is none, and its listener is never called. */
export interface BackendStream {
  /** The subscribe response, which comes first. Rejects as `exchange` does; waits as long as the backend does. */
  readonly first: Promise<SubscribeResponse>;
  /** False where the stream has ended, is not bidirectional, or holds too much that the backend has not taken. */
  publish(data: Uint8Array): boolean;
  /** The listener is called no more; `first`, if still awaited, rejects with the reason. */
  cancel(reason: Error): void;
  /** While paused nothing is read; what the backend sends waits at its side. */
  pause(): void;
  resume(): void;
}

/**
 * One endpoint of the application, over one transport. Rejects with an `OperationalError` whose code is one of
 * {@link BackendFailureCode}; a status transform counts as a reply.
 */
export interface Backend {
  readonly protocol: 'http' | 'grpc';
  /** `limit.signal` ends the exchange at once; `limit.remainingMs` is how long the caller still waits. */
  exchange<Message, Result>(
    call: BackendCall<Message, Result>,
    limit: { readonly signal: AbortSignal; readonly remainingMs: number },
  ): Promise<ReplyEnvelope<Result>>;
  /** Opens a stream (proxy.md §6.7); absent where the transport has none. Never throws. */
  readonly openStream?: ((call: StreamCall, listener: StreamListener) => BackendStream) | undefined;
  /** Gives up connections that may be dead; calls in flight and open streams go on. */
  reset(): void;
  close(): Promise<void>;
}

export type BackendFailureCode =
  /** Connection refused, reset or never made. */
  | 'proxy_unreachable'
  /** No complete reply within `timeout`. */
  | 'proxy_timeout'
  /** An HTTP status other than 200 without a transform, or too many redirects. */
  | 'proxy_status'
  /** A gRPC status that is neither OK nor a matter of reaching the backend. */
  | 'proxy_grpc_status'
  /** The reply is larger than the bound, not JSON, or not the documented message. */
  | 'proxy_bad_reply'
  /** The question cannot be sent: a payload that is not JSON, a header that HTTP forbids. */
  | 'proxy_unencodable'
  /** Too many questions wait for this endpoint already. */
  | 'proxy_overloaded'
  /** The endpoint failed repeatedly a moment ago. */
  | 'proxy_circuit_open'
  /** The caller gave its stream up before it was open. */
  | 'proxy_abandoned';

/** Replies beyond this are failures, over HTTP and gRPC alike: twice what `client.queue_max_size` lets any client receive. */
export const MAX_REPLY_BYTES: number = 2 * 1024 * 1024;
