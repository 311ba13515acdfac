import {
  type handleServerStreamingCall,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { decodeConnectRequest, protobufCodec, uniStreamMethods } from '@carillon/protocol/client';
import { OperationalError } from '@carillon/service-kit';
import type { EdgeContext } from './edge-context.ts';
import type { TlsSettings } from './edge-settings.ts';
import { createGrpcCertificate } from '@carillon/service-kit/grpc';
import { UniGrpcConnection } from './stream/uni-grpc-connection.ts';

/** Unidirectional gRPC (client-protocol §1.8): one stream of pushes for one connect request, on a port of its own. */
export interface UniGrpc {
  /** The port in use; 0 before `listen`. */
  readonly port: number;
  /** Throws OperationalError `listen_failed`. */
  listen(): Promise<void>;
  /**
   * New connections get this certificate. Nothing happens where the port is without TLS. Throws OperationalError
   * `tls_unusable`; the old one stays then.
   */
  useCertificate(tls: TlsSettings | undefined): void;
  /** Takes no more calls; those that are still open after a second are cut off. */
  close(): void;
}

const CLOSE_GRACE_MS = 1000;

/** A connection without a stream, such as one that never says a word. */
const IDLE_CONNECTION_MS = 20_000;

/** Peers that are gone without a word are found by pings of HTTP/2. */
const KEEPALIVE_INTERVAL_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** Clients behind a proxy may share a connection to us; it opens another beyond that. */
const MAX_STREAMS_PER_CONNECTION = 1000;

const DEFAULT_MAX_RECEIVE_BYTES = 4_194_304;

export function createUniGrpc(context: EdgeContext): UniGrpc {
  const { address, port, tls, maxReceiveMessageSize } = context.settings.uniGrpc;
  const server = new Server({
    'grpc.max_receive_message_length': maxReceiveMessageSize > 0 ? maxReceiveMessageSize : DEFAULT_MAX_RECEIVE_BYTES,
    'grpc.max_connection_idle_ms': IDLE_CONNECTION_MS,
    'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
  });
  const { path } = uniStreamMethods.consume;
  const consume: handleServerStreamingCall<Uint8Array, Uint8Array> = (call) => open(call, context);
  server.addService(
    {
      consume: {
        path,
        requestStream: false,
        responseStream: true,
        requestSerialize: toBuffer,
        // Bytes in, bytes out: the session decodes the request, and pushes come encoded.
        requestDeserialize: proveRequest,
        responseSerialize: toBuffer,
        responseDeserialize: (bytes: Buffer): Uint8Array => bytes,
      },
    },
    { consume },
  );
  const target = `${address === '' ? '0.0.0.0' : address.includes(':') ? `[${address}]` : address}:${port}`;
  const certificate = tls === undefined ? undefined : createGrpcCertificate(tls, 'tls_unusable');
  let boundPort = 0;
  return {
    get port() {
      return boundPort;
    },
    listen() {
      return new Promise((resolve, reject) => {
        server.bindAsync(target, certificate?.credentials ?? ServerCredentials.createInsecure(), (cause, bound) => {
          if (cause !== null) {
            reject(new OperationalError('listen_failed', `cannot listen on ${target}: is it in use?`, { cause }));
            return;
          }
          boundPort = bound;
          resolve();
        });
      });
    },
    useCertificate(next) {
      if (next !== undefined) certificate?.use(next);
    },
    close() {
      // Streams that have just ended get to send their status.
      const deadline = context.clock.setTimer(CLOSE_GRACE_MS, () => server.forceShutdown());
      deadline.unref();
      server.tryShutdown(() => deadline.cancel());
    },
  };
}

function open(call: ServerWritableStream<Uint8Array, Uint8Array>, context: EdgeContext): void {
  if (context.isDraining() || !context.admission.mayTry() || !context.admission.enter('uni_grpc')) {
    call.emit('error', { code: status.UNAVAILABLE, details: 'no more connections' });
    return;
  }
  new UniGrpcConnection(call, context).open(call.request);
}

/** Throws ProtocolViolation, which becomes a gRPC error. */
function proveRequest(bytes: Buffer): Uint8Array {
  decodeConnectRequest(bytes, protobufCodec.kind);
  return bytes;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
