import type { Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import * as gen from '../gen/api_pb.ts';
import { grpcMethods, type GrpcMethods } from '../wire/grpc-methods.ts';
import { compileCodec, type MessageCodec } from '../wire/message-codec.ts';
import type { AlwaysPresent } from '../wire/message-plan.ts';
import type { Wire } from '../wire/wire.ts';
import type * as messages from './api-messages.ts';

// The methods of the server API as one table, which the HTTP and the gRPC transport, batches and the legacy endpoint
// all go through.

/** The envelope of every result: an error or a result, never both. */
export interface ApiResponse<Result> {
  error?: messages.ErrorBody | undefined;
  result?: Result | undefined;
}

export interface ApiMethod<Request, Result> {
  /** Name in HTTP routes and in the legacy endpoint. */
  readonly name: string;
  /** Name in `CentrifugoApi`; the same with a small first letter is the key in {@link apiGrpcMethods}. */
  readonly grpcName: string;
  /** Member of a batch command and of its reply. */
  readonly batchField: BatchField;
  readonly legacyNumber: number;
  readonly request: MessageCodec<Request>;
  readonly result: MessageCodec<Result>;
  readonly response: MessageCodec<ApiResponse<Result>>;
}

/** JSON members that are written even when zero (server-api.md §2). */
const PACKAGE = 'centrifugal.centrifugo.api';
export const API_ALWAYS_PRESENT: AlwaysPresent = Object.freeze({
  [`${PACKAGE}.ClientInfo`]: ['user', 'client'],
  [`${PACKAGE}.PresenceResult`]: ['presence'],
  [`${PACKAGE}.PresenceStatsResult`]: ['num_clients', 'num_users'],
  [`${PACKAGE}.HistoryResult`]: ['publications', 'epoch', 'offset'],
  [`${PACKAGE}.NodeResult`]: ['uid', 'name', 'version', 'num_clients', 'num_users', 'num_channels', 'num_subs'],
  [`${PACKAGE}.ChannelsResult`]: ['channels'],
  [`${PACKAGE}.ConnectionsResult`]: ['connections'],
  [`${PACKAGE}.GetUserStatusResult`]: ['statuses'],
});

interface MethodTypes {
  publish: [messages.PublishRequest, messages.PublishResult];
  broadcast: [messages.BroadcastRequest, messages.BroadcastResult];
  subscribe: [messages.SubscribeRequest, messages.SubscribeResult];
  unsubscribe: [messages.UnsubscribeRequest, messages.UnsubscribeResult];
  disconnect: [messages.DisconnectRequest, messages.DisconnectResult];
  history: [messages.HistoryRequest, messages.HistoryResult];
  historyRemove: [messages.HistoryRemoveRequest, messages.HistoryRemoveResult];
  presence: [messages.PresenceRequest, messages.PresenceResult];
  presenceStats: [messages.PresenceStatsRequest, messages.PresenceStatsResult];
  info: [messages.InfoRequest, messages.InfoResult];
  rpc: [messages.RpcRequest, messages.RpcResult];
  refresh: [messages.RefreshRequest, messages.RefreshResult];
  channels: [messages.ChannelsRequest, messages.ChannelsResult];
  connections: [messages.ConnectionsRequest, messages.ConnectionsResult];
  updateUserStatus: [messages.UpdateUserStatusRequest, messages.UpdateUserStatusResult];
  getUserStatus: [messages.GetUserStatusRequest, messages.GetUserStatusResult];
  deleteUserStatus: [messages.DeleteUserStatusRequest, messages.DeleteUserStatusResult];
  blockUser: [messages.BlockUserRequest, messages.BlockUserResult];
  unblockUser: [messages.UnblockUserRequest, messages.UnblockUserResult];
  revokeToken: [messages.RevokeTokenRequest, messages.RevokeTokenResult];
  invalidateUserTokens: [messages.InvalidateUserTokensRequest, messages.InvalidateUserTokensResult];
  mapPublish: [messages.MapPublishRequest, messages.MapPublishResult];
  mapRemove: [messages.MapRemoveRequest, messages.MapRemoveResult];
  mapReadState: [messages.MapReadStateRequest, messages.MapReadStateResult];
  mapReadStream: [messages.MapReadStreamRequest, messages.MapReadStreamResult];
  mapStats: [messages.MapStatsRequest, messages.MapStatsResult];
  mapClear: [messages.MapClearRequest, messages.MapClearResult];
  sharedPollPublish: [messages.SharedPollPublishRequest, messages.SharedPollPublishResult];
}

/** Members of batch commands, which are also the keys of {@link apiMethods}. */
export type BatchField = keyof MethodTypes;
export type ApiMethods = { readonly [K in BatchField]: ApiMethod<MethodTypes[K][0], MethodTypes[K][1]> };

interface Schemas<Request extends Message, Result extends Message> {
  readonly request: GenMessage<Request>;
  readonly result: GenMessage<Result>;
  readonly response: GenMessage<Message>;
}

function method<Request extends Message, Result extends Message>(
  batchField: BatchField,
  legacyNumber: number,
  schemas: Schemas<Request, Result>,
): ApiMethod<Wire<Request>, Wire<Result>> {
  const options = { json: 'api', alwaysPresent: API_ALWAYS_PRESENT } as const;
  const name = batchField.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const response = compileCodec(schemas.response, options);
  return Object.freeze({
    name,
    grpcName: schemas.request.name.replace(/Request$/, ''),
    batchField,
    legacyNumber,
    request: compileCodec(schemas.request, options),
    result: compileCodec(schemas.result, options),
    // Every XResponse is `error` and `result`, which the schema cannot say for all of them at once.
    response,
  });
}

/** Every method but `batch`, in the order in which a batch command with several members set picks one (§7.13). */
export const apiMethods: ApiMethods = Object.freeze({
  publish: method('publish', 0, {
    request: gen.PublishRequestSchema,
    result: gen.PublishResultSchema,
    response: gen.PublishResponseSchema,
  }),
  broadcast: method('broadcast', 1, {
    request: gen.BroadcastRequestSchema,
    result: gen.BroadcastResultSchema,
    response: gen.BroadcastResponseSchema,
  }),
  subscribe: method('subscribe', 11, {
    request: gen.SubscribeRequestSchema,
    result: gen.SubscribeResultSchema,
    response: gen.SubscribeResponseSchema,
  }),
  unsubscribe: method('unsubscribe', 2, {
    request: gen.UnsubscribeRequestSchema,
    result: gen.UnsubscribeResultSchema,
    response: gen.UnsubscribeResponseSchema,
  }),
  disconnect: method('disconnect', 3, {
    request: gen.DisconnectRequestSchema,
    result: gen.DisconnectResultSchema,
    response: gen.DisconnectResponseSchema,
  }),
  history: method('history', 6, {
    request: gen.HistoryRequestSchema,
    result: gen.HistoryResultSchema,
    response: gen.HistoryResponseSchema,
  }),
  historyRemove: method('historyRemove', 7, {
    request: gen.HistoryRemoveRequestSchema,
    result: gen.HistoryRemoveResultSchema,
    response: gen.HistoryRemoveResponseSchema,
  }),
  presence: method('presence', 4, {
    request: gen.PresenceRequestSchema,
    result: gen.PresenceResultSchema,
    response: gen.PresenceResponseSchema,
  }),
  presenceStats: method('presenceStats', 5, {
    request: gen.PresenceStatsRequestSchema,
    result: gen.PresenceStatsResultSchema,
    response: gen.PresenceStatsResponseSchema,
  }),
  info: method('info', 9, {
    request: gen.InfoRequestSchema,
    result: gen.InfoResultSchema,
    response: gen.InfoResponseSchema,
  }),
  rpc: method('rpc', 10, {
    request: gen.RPCRequestSchema,
    result: gen.RPCResultSchema,
    response: gen.RPCResponseSchema,
  }),
  refresh: method('refresh', 12, {
    request: gen.RefreshRequestSchema,
    result: gen.RefreshResultSchema,
    response: gen.RefreshResponseSchema,
  }),
  channels: method('channels', 8, {
    request: gen.ChannelsRequestSchema,
    result: gen.ChannelsResultSchema,
    response: gen.ChannelsResponseSchema,
  }),
  connections: method('connections', 14, {
    request: gen.ConnectionsRequestSchema,
    result: gen.ConnectionsResultSchema,
    response: gen.ConnectionsResponseSchema,
  }),
  updateUserStatus: method('updateUserStatus', 15, {
    request: gen.UpdateUserStatusRequestSchema,
    result: gen.UpdateUserStatusResultSchema,
    response: gen.UpdateUserStatusResponseSchema,
  }),
  getUserStatus: method('getUserStatus', 16, {
    request: gen.GetUserStatusRequestSchema,
    result: gen.GetUserStatusResultSchema,
    response: gen.GetUserStatusResponseSchema,
  }),
  deleteUserStatus: method('deleteUserStatus', 17, {
    request: gen.DeleteUserStatusRequestSchema,
    result: gen.DeleteUserStatusResultSchema,
    response: gen.DeleteUserStatusResponseSchema,
  }),
  blockUser: method('blockUser', 18, {
    request: gen.BlockUserRequestSchema,
    result: gen.BlockUserResultSchema,
    response: gen.BlockUserResponseSchema,
  }),
  unblockUser: method('unblockUser', 19, {
    request: gen.UnblockUserRequestSchema,
    result: gen.UnblockUserResultSchema,
    response: gen.UnblockUserResponseSchema,
  }),
  revokeToken: method('revokeToken', 20, {
    request: gen.RevokeTokenRequestSchema,
    result: gen.RevokeTokenResultSchema,
    response: gen.RevokeTokenResponseSchema,
  }),
  invalidateUserTokens: method('invalidateUserTokens', 21, {
    request: gen.InvalidateUserTokensRequestSchema,
    result: gen.InvalidateUserTokensResultSchema,
    response: gen.InvalidateUserTokensResponseSchema,
  }),
  mapPublish: method('mapPublish', 33, {
    request: gen.MapPublishRequestSchema,
    result: gen.MapPublishResultSchema,
    response: gen.MapPublishResponseSchema,
  }),
  mapRemove: method('mapRemove', 34, {
    request: gen.MapRemoveRequestSchema,
    result: gen.MapRemoveResultSchema,
    response: gen.MapRemoveResponseSchema,
  }),
  mapReadState: method('mapReadState', 35, {
    request: gen.MapReadStateRequestSchema,
    result: gen.MapReadStateResultSchema,
    response: gen.MapReadStateResponseSchema,
  }),
  mapReadStream: method('mapReadStream', 36, {
    request: gen.MapReadStreamRequestSchema,
    result: gen.MapReadStreamResultSchema,
    response: gen.MapReadStreamResponseSchema,
  }),
  mapStats: method('mapStats', 37, {
    request: gen.MapStatsRequestSchema,
    result: gen.MapStatsResultSchema,
    response: gen.MapStatsResponseSchema,
  }),
  mapClear: method('mapClear', 38, {
    request: gen.MapClearRequestSchema,
    result: gen.MapClearResultSchema,
    response: gen.MapClearResponseSchema,
  }),
  sharedPollPublish: method('sharedPollPublish', 39, {
    request: gen.SharedPollPublishRequestSchema,
    result: gen.SharedPollPublishResultSchema,
    response: gen.SharedPollPublishResponseSchema,
  }),
});

/** Methods that the open edition of the reference does not know. */
export const COMMERCIAL_METHODS: ReadonlySet<BatchField> = new Set([
  'connections',
  'updateUserStatus',
  'getUserStatus',
  'deleteUserStatus',
  'blockUser',
  'unblockUser',
  'revokeToken',
  'invalidateUserTokens',
]);

/** `batch` stands apart: it has no result envelope, no legacy number and cannot contain itself. */
export const batchMethod: Readonly<{
  name: 'batch';
  grpcName: 'Batch';
  request: MessageCodec<messages.BatchRequest>;
  response: MessageCodec<messages.BatchResponse>;
}> = Object.freeze({
  name: 'batch',
  grpcName: 'Batch',
  request: compileCodec(gen.BatchRequestSchema, { json: 'api', alwaysPresent: API_ALWAYS_PRESENT }),
  response: compileCodec(gen.BatchResponseSchema, { json: 'api', alwaysPresent: API_ALWAYS_PRESENT }),
});

/** The body of an error in transport error mode, and the detail of a gRPC status. */
export const apiErrorCodec: MessageCodec<messages.ErrorBody> = compileCodec(gen.ErrorSchema, { json: 'api' });

/** Path and (de)serialisers of every method of the gRPC service, those of the commercial build included. */
export const apiGrpcMethods: GrpcMethods<typeof gen.CentrifugoApi> = grpcMethods(gen.CentrifugoApi);
