import { proxyGrpcMethods, type StreamSubscribeRequest, type SubscribeRequest } from '@carillon/protocol/proxy';
import {
  Server,
  ServerCredentials,
  type status,
  type ServerDuplexStream,
  type ServerWritableStream,
} from '@grpc/grpc-js';

import { freePort } from './free-port.ts';

/** One subscribe stream, at the backend's end (proxy.md §6.7). */
export interface BackendStream {
  readonly request: SubscribeRequest;
  /** What the client published into it, as text. */
  readonly published: string[];
  isCancelled(): boolean;
  send(message: object): void;
  end(): void;
  fail(code: status): void;
}

export interface StreamBackend {
  /** `host:port`. */
  readonly target: string;
  /** In the order in which they were opened. */
  readonly streams: readonly BackendStream[];
  stop(): void;
}

type Call = ServerWritableStream<SubscribeRequest, object> | ServerDuplexStream<StreamSubscribeRequest, object>;

/** The application's backend for subscribe streams, over gRPC; `answer` is called for each stream that is opened. */
export async function startStreamBackend(answer: (stream: BackendStream) => void): Promise<StreamBackend> {
  const streams: BackendStream[] = [];
  const accept = (call: Call, request: SubscribeRequest, published: string[] = []): void => {
    const stream: BackendStream = {
      request,
      published,
      isCancelled: () => call.cancelled,
      send: (message) => void call.write(message),
      end: () => void call.end(),
      fail: (code) => void call.emit('error', { code, details: 'told to' }),
    };
    streams.push(stream);
    answer(stream);
  };
  const server = new Server();
  const { subscribeUnidirectional, subscribeBidirectional } = proxyGrpcMethods;
  server.addService(
    { subscribeUnidirectional, subscribeBidirectional },
    {
      subscribeUnidirectional: (call: ServerWritableStream<SubscribeRequest, object>) => accept(call, call.request),
      subscribeBidirectional: (call: ServerDuplexStream<StreamSubscribeRequest, object>) => {
        const published: string[] = [];
        call.on('error', () => undefined);
        call.on('data', ({ subscribeRequest, publication }: StreamSubscribeRequest) => {
          if (subscribeRequest !== undefined) accept(call, subscribeRequest, published);
          if (publication !== undefined) published.push(Buffer.from(publication.data ?? []).toString());
        });
      },
    },
  );
  const port = await freePort();
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return { target: `127.0.0.1:${port}`, streams, stop: () => server.forceShutdown() };
}
