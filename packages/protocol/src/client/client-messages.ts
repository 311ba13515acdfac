import {
  ClientInfoSchema,
  CommandSchema,
  ConnectRequestSchema,
  EmulationRequestSchema,
  HistoryResultSchema,
  PushSchema,
  ReplySchema,
} from '../gen/client_pb.ts';
import { CentrifugoUniStream } from '../gen/unistream_pb.ts';
import { grpcMethods, type GrpcMethods } from '../wire/grpc-methods.ts';
import { compileCodec, type MessageCodec } from '../wire/message-codec.ts';
import type { AlwaysPresent } from '../wire/message-plan.ts';
import type { ClientInfo, Command, ConnectRequest, EmulationRequest, HistoryResult, Push, Reply } from './frames.ts';

// The compiled codecs of everything a client sends or gets.

/** J3: what is written to JSON even when it is zero. */
const alwaysPresent: AlwaysPresent = {
  'centrifugal.centrifuge.protocol.ClientInfo': ['user', 'client'],
  'centrifugal.centrifuge.protocol.PresenceResult': ['presence'],
  'centrifugal.centrifuge.protocol.PresenceStatsResult': ['num_clients', 'num_users'],
  'centrifugal.centrifuge.protocol.HistoryResult': ['publications', 'epoch', 'offset'],
};

export const commandCodec: MessageCodec<Command> = compileCodec(CommandSchema, { json: 'client' });
export const replyCodec: MessageCodec<Reply> = compileCodec(ReplySchema, { json: 'client', alwaysPresent });
export const pushCodec: MessageCodec<Push> = compileCodec(PushSchema, { json: 'client', alwaysPresent });
export const clientInfoCodec: MessageCodec<ClientInfo> = compileCodec(ClientInfoSchema, {
  json: 'client',
  alwaysPresent,
});
export const historyResultCodec: MessageCodec<HistoryResult> = compileCodec(HistoryResultSchema, {
  json: 'client',
  alwaysPresent,
});

// compat: also in whole HTTP bodies, what follows the value is ignored.
export const connectRequestCodec: MessageCodec<ConnectRequest> = compileCodec(ConnectRequestSchema, { json: 'client' });
export const emulationRequestCodec: MessageCodec<EmulationRequest> = compileCodec(EmulationRequestSchema, {
  json: 'client',
});

/** The unidirectional gRPC service: `consume`. */
export const uniStreamMethods: GrpcMethods<typeof CentrifugoUniStream> = grpcMethods(CentrifugoUniStream);
