import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { compileCodec, type MessageCodec } from './message-codec.ts';
import type { Wire } from './wire.ts';

/** One method in the form that gRPC libraries for Node take; Request and Response are plain objects. */
export interface GrpcMethod<Request, Response> {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (message: Request) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (message: Response) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** The methods of a generated service by their names in it, the first letter in lower case (and `RPC` as `rpc`). */
export type GrpcMethods<S extends DescService> = {
  readonly [K in keyof S['method'] as K extends 'rPC' ? 'rpc' : K]: S['method'][K] extends {
    input: infer I;
    output: infer O;
  }
    ? GrpcMethod<WireOf<I>, WireOf<O>>
    : never;
};

type WireOf<D> = D extends GenMessage<infer T> ? Wire<T> : never;

/** Path and (de)serialisers of every method of a service. Deserialisers throw ProtocolViolation. */
export function grpcMethods<S extends DescService>(service: S): GrpcMethods<S> {
  const methods: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(service.method)) {
    methods[name === 'rPC' ? 'rpc' : name] = grpcMethod(service, method);
  }
  return methods as GrpcMethods<S>;
}

function grpcMethod(service: DescService, method: DescMethod): GrpcMethod<object, object> {
  const request = codecOf(method.input);
  const response = codecOf(method.output);
  return {
    path: `/${service.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: (message) => asBuffer(request.writeProtobuf(message)),
    requestDeserialize: (bytes) => request.readProtobuf(bytes),
    responseSerialize: (message) => asBuffer(response.writeProtobuf(message)),
    responseDeserialize: (bytes) => response.readProtobuf(bytes),
  };
}

function codecOf(desc: DescMethod['input']): MessageCodec<object> {
  return compileCodec(desc as GenMessage<Message>, { json: 'api' });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
