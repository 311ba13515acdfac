import type { Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import * as gen from '../gen/proxy_pb.ts';
import { grpcMethods, type GrpcMethods } from '../wire/grpc-methods.ts';
import { compileCodec, type MessageCodec } from '../wire/message-codec.ts';
import type { AlwaysPresent } from '../wire/message-plan.ts';
import type { Wire } from '../wire/wire.ts';
import type * as messages from './proxy-messages.ts';

// What the application backend is asked, over HTTP with these codecs or over gRPC with the methods below.

/** `writeJson` of a request throws InvalidPayload for a payload that is not JSON. */
export interface ProxyMethod<Request, Response> {
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
}

export interface ProxyMethods {
  readonly connect: ProxyMethod<messages.ConnectRequest, messages.ConnectResponse>;
  readonly refresh: ProxyMethod<messages.RefreshRequest, messages.RefreshResponse>;
  readonly subscribe: ProxyMethod<messages.SubscribeRequest, messages.SubscribeResponse>;
  readonly publish: ProxyMethod<messages.PublishRequest, messages.PublishResponse>;
  readonly rpc: ProxyMethod<messages.RpcRequest, messages.RpcResponse>;
  readonly subRefresh: ProxyMethod<messages.SubRefreshRequest, messages.SubRefreshResponse>;
  readonly mapPublish: ProxyMethod<messages.MapPublishRequest, messages.MapPublishResponse>;
  readonly mapRemove: ProxyMethod<messages.MapRemoveRequest, messages.MapRemoveResponse>;
  readonly sharedPollRefresh: ProxyMethod<messages.SharedPollRefreshRequest, messages.SharedPollRefreshResponse>;
}

/** `user` is written even when empty in these and only these (proxy.md §3.1). */
const PACKAGE = 'centrifugal.centrifugo.proxy';
const alwaysPresent: AlwaysPresent = {
  [`${PACKAGE}.RefreshRequest`]: ['user'],
  [`${PACKAGE}.SubscribeRequest`]: ['user'],
  [`${PACKAGE}.PublishRequest`]: ['user'],
  [`${PACKAGE}.RPCRequest`]: ['user'],
  [`${PACKAGE}.SubRefreshRequest`]: ['user'],
};

function method<Request extends Message, Response extends Message>(
  request: GenMessage<Request>,
  response: GenMessage<Response>,
): ProxyMethod<Wire<Request>, Wire<Response>> {
  const options = { json: 'api', alwaysPresent } as const;
  return Object.freeze({ request: compileCodec(request, options), response: compileCodec(response, options) });
}

/** Every proxied event that has an HTTP form. */
export const proxyMethods: ProxyMethods = Object.freeze({
  connect: method(gen.ConnectRequestSchema, gen.ConnectResponseSchema),
  refresh: method(gen.RefreshRequestSchema, gen.RefreshResponseSchema),
  subscribe: method(gen.SubscribeRequestSchema, gen.SubscribeResponseSchema),
  publish: method(gen.PublishRequestSchema, gen.PublishResponseSchema),
  rpc: method(gen.RPCRequestSchema, gen.RPCResponseSchema),
  subRefresh: method(gen.SubRefreshRequestSchema, gen.SubRefreshResponseSchema),
  mapPublish: method(gen.MapPublishRequestSchema, gen.MapPublishResponseSchema),
  mapRemove: method(gen.MapRemoveRequestSchema, gen.MapRemoveResponseSchema),
  sharedPollRefresh: method(gen.SharedPollRefreshRequestSchema, gen.SharedPollRefreshResponseSchema),
});

/** Path and (de)serialisers of every method of `CentrifugoProxy`, the two subscribe streams included. */
export const proxyGrpcMethods: GrpcMethods<typeof gen.CentrifugoProxy> = grpcMethods(gen.CentrifugoProxy);
