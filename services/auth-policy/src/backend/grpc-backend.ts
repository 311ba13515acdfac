import type { ProxyConfig, TlsConfig } from '@carillon/config';
import type { Clock } from '@carillon/service-kit';
import { formatTraceparent, TRACEPARENT, TRACESTATE, type TraceContext } from '@carillon/service-kit/tracing';
import {
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ServiceError,
} from '@grpc/grpc-js';

import { backendFailure } from './backend-failure.ts';
import { MAX_REPLY_BYTES, type Backend, type BackendCall } from './backend.ts';
import { statusFailure } from './grpc-status.ts';
import { GrpcStream } from './grpc-stream.ts';
import { selectHeaders, type RequestHeaders } from './request-headers.ts';

/** `CentrifugoProxy` by unary calls (proxy.md §1, §2.1, §3.2). Status transforms do not apply. */
export function createGrpcBackend(options: ProxyConfig, clock: Clock): Backend {
  const metadataFor = selectHeaders({ ...options, fixed: options.grpc.staticMetadata });
  let client = connect(options);

  return {
    protocol: 'grpc',
    async exchange({ method, message, origin, trace }, { signal, remainingMs }) {
      const metadata = toMetadata(metadataFor(origin), trace, options);
      const deadline = clock.now() + remainingMs;
      return unary(client, { method, message, origin }, { metadata, signal, deadline });
    },
    openStream: (call, listener) =>
      new GrpcStream({
        client,
        call,
        listener,
        metadata: () => toMetadata(metadataFor(call.origin), call.trace, options),
      }),
    reset() {
      client.close();
      client = connect(options);
    },
    close: async () => client.close(),
  };
}

/** `grpc://host:port` is `host:port`; anything else is the dial target as it stands. */
function connect({ endpoint, grpc }: ProxyConfig): Client {
  const target = endpoint.startsWith('grpc://') ? endpoint.slice('grpc://'.length) : endpoint;
  return new Client(target, channelCredentials(grpc.tls), {
    'grpc.max_receive_message_length': MAX_REPLY_BYTES,
    'grpc.use_local_subchannel_pool': 1,
    // A backend that comes back has to be noticed within about a second.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    ...(grpc.compression ? { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip } : {}),
    ...(grpc.tls.enabled && grpc.tls.serverName !== ''
      ? { 'grpc.ssl_target_name_override': grpc.tls.serverName, 'grpc.default_authority': grpc.tls.serverName }
      : {}),
  });
}

function channelCredentials(tls: TlsConfig): ChannelCredentials {
  if (!tls.enabled) return credentials.createInsecure();
  const buffer = (pem: string): Buffer | null => (pem === '' ? null : Buffer.from(pem));
  return credentials.createSsl(buffer(tls.serverCaPem), buffer(tls.keyPem), buffer(tls.certPem), {
    rejectUnauthorized: !tls.insecureSkipVerify,
  });
}

function toMetadata(headers: RequestHeaders, trace: TraceContext | undefined, { grpc }: ProxyConfig): Metadata {
  const metadata = new Metadata();
  try {
    for (const [name, { values }] of headers) {
      for (const value of values) metadata.add(name, name.endsWith('-bin') ? Buffer.from(value) : value);
    }
    // In place of the client's, whose child it is.
    if (trace !== undefined) metadata.set(TRACEPARENT, formatTraceparent(trace));
    if (trace?.state !== undefined) metadata.set(TRACESTATE, trace.state);
    if (grpc.credentialsKey !== '') metadata.set(grpc.credentialsKey.toLowerCase(), grpc.credentialsValue);
  } catch (error) {
    throw backendFailure('proxy_unencodable', 'a header cannot be sent as metadata', error);
  }
  return metadata;
}

interface UnaryLimits {
  readonly metadata: Metadata;
  readonly signal: AbortSignal;
  /** Unix milliseconds; travels to the backend. */
  readonly deadline: number;
}

function unary<Message, Result>(
  client: Client,
  { method, message }: BackendCall<Message, Result>,
  { metadata, signal, deadline }: UnaryLimits,
) {
  const { path, requestSerialize, responseDeserialize } = method.grpc;
  return new Promise<ReturnType<typeof responseDeserialize>>((resolve, reject) => {
    const onReply = (error: ServiceError | null, reply?: ReturnType<typeof responseDeserialize>): void => {
      signal.removeEventListener('abort', onAbort);
      if (error === null && reply !== undefined) resolve(reply);
      else reject(failureOf(error));
    };
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      metadata,
      { deadline },
      onReply,
    );
    const onAbort = (): void => call.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function failureOf(error: ServiceError | null): Error {
  return error === null ? backendFailure('proxy_bad_reply', 'a reply without a message') : statusFailure(error);
}
