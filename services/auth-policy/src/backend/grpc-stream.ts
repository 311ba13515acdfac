import type { StreamEnding, StreamListener } from '@carillon/policy';
import {
  proxyGrpcMethods,
  type StreamSubscribeRequest,
  type StreamSubscribeResponse,
  type SubscribeResponse,
} from '@carillon/protocol/proxy';
import type {
  Client,
  ClientDuplexStream,
  ClientReadableStream,
  ClientWritableStream,
  Metadata,
  ServiceError,
} from '@grpc/grpc-js';

import { backendFailure } from './backend-failure.ts';
import type { BackendStream, StreamCall } from './backend.ts';
import { statusFailure } from './grpc-status.ts';

export interface GrpcStreamOptions {
  readonly client: Client;
  readonly call: StreamCall;
  readonly listener: StreamListener;
  /** Throws where a header cannot be sent. */
  readonly metadata: () => Metadata;
}

/** Publications of one client that its backend has not taken yet. */
const MAX_WAITING_PUBLICATIONS = 64;

type Publishing = Pick<ClientWritableStream<StreamSubscribeRequest>, 'write' | 'writableLength'>;

interface OpenCall {
  readonly reading: ClientReadableStream<StreamSubscribeResponse>;
  /** Undefined: unidirectional. */
  readonly writing: Publishing | undefined;
}

/** opening: the subscribe response has not come. Once `ended`, nothing leaves it any more. */
type StreamState = 'opening' | 'open' | 'ended';

/** One call of `SubscribeUnidirectional` or `SubscribeBidirectional` (proxy.md §6.7). */
export class GrpcStream implements BackendStream {
  readonly first: Promise<SubscribeResponse>;
  readonly #first: PromiseWithResolvers<SubscribeResponse> = Promise.withResolvers();
  readonly #listener: StreamListener;
  readonly #call: OpenCall | undefined;
  #state: StreamState = 'opening';
  #isPaused = false;

  constructor({ client, call, listener, metadata }: GrpcStreamOptions) {
    this.first = this.#first.promise;
    this.#listener = listener;
    try {
      this.#call = open(client, call, metadata());
    } catch (error) {
      this.#fail(error instanceof Error ? error : new TypeError(String(error)));
      return;
    }
    const { reading } = this.#call;
    reading.on('data', (message: StreamSubscribeResponse) => this.#onMessage(message));
    // An error comes before the end that belongs to it.
    reading.on('error', (error: ServiceError) => this.#onEnd('failed', statusFailure(error)));
    reading.on('end', () => this.#onEnd('completed', backendFailure('proxy_bad_reply', 'a stream without a response')));
  }

  publish(data: Uint8Array): boolean {
    const writing = this.#call?.writing;
    if (this.#state !== 'open' || writing === undefined) return false;
    if (writing.writableLength >= MAX_WAITING_PUBLICATIONS) return false;
    writing.write({ publication: { data } });
    return true;
  }

  cancel(reason: Error): void {
    this.#fail(reason);
    this.#call?.reading.cancel();
  }

  pause(): void {
    this.#isPaused = true;
    // The response is read whatever happens: it has a time-out.
    if (this.#state !== 'opening') this.#call?.reading.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#call?.reading.resume();
  }

  #onMessage({ subscribeResponse, publication }: StreamSubscribeResponse): void {
    if (this.#state === 'open' && publication !== undefined) this.#listener.onPublication(publication);
    if (this.#state !== 'opening') return;
    if (subscribeResponse === undefined) {
      this.cancel(backendFailure('proxy_bad_reply', 'the first message is no response'));
      return;
    }
    this.#state = 'open';
    if (this.#isPaused) this.#call?.reading.pause();
    this.#first.resolve(subscribeResponse);
  }

  #onEnd(end: StreamEnding, reason: Error): void {
    const wasOpen = this.#state === 'open';
    this.#fail(reason);
    if (wasOpen) this.#listener.onEnd(end);
  }

  #fail(reason: Error): void {
    this.#state = 'ended';
    // No-op once the response has come.
    this.#first.reject(reason);
  }
}

function open(client: Client, { message, isBidirectional }: StreamCall, metadata: Metadata): OpenCall {
  const { subscribeUnidirectional, subscribeBidirectional } = proxyGrpcMethods;
  if (!isBidirectional) {
    const { path, requestSerialize, responseDeserialize } = subscribeUnidirectional;
    const reading = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, message, metadata);
    return { reading, writing: undefined };
  }
  const { path, requestSerialize, responseDeserialize } = subscribeBidirectional;
  const duplex: ClientDuplexStream<StreamSubscribeRequest, StreamSubscribeResponse> = client.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    metadata,
  );
  duplex.write({ subscribeRequest: message });
  return { reading: duplex, writing: duplex };
}
