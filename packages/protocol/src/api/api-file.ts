import { toBinary, type DescMessage } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { CentrifugoApi, file_api } from '../gen/api_pb.ts';

/** The schema of the gRPC service, as server reflection hands it out (server-api.md §4). */
export interface ApiFile {
  readonly name: string;
  /** Full name of the one service in it. */
  readonly service: string;
  /** Full names of the service, its methods and all messages. */
  readonly symbols: ReadonlySet<string>;
  /** A serialised `google.protobuf.FileDescriptorProto`; it imports no other file. */
  readonly descriptor: Uint8Array;
}

export const apiFile: ApiFile = Object.freeze({
  name: file_api.proto.name,
  service: CentrifugoApi.typeName,
  symbols: new Set([
    CentrifugoApi.typeName,
    ...CentrifugoApi.methods.map((method) => `${CentrifugoApi.typeName}.${method.name}`),
    ...file_api.messages.flatMap(namesIn),
  ]),
  descriptor: toBinary(FileDescriptorProtoSchema, file_api.proto),
});

function namesIn(message: DescMessage): string[] {
  return [message.typeName, ...message.nestedMessages.flatMap(namesIn)];
}
