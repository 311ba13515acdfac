// The messages of the client protocol (client-protocol.md §2) as plain objects. Bodies of pushes end in `Push`.
import type * as gen from '../gen/client_pb.ts';
import type * as uni from '../gen/unistream_pb.ts';
import type { Wire } from '../wire/wire.ts';

export type Command = Wire<gen.Command>;
export type Reply = Wire<gen.Reply>;
export type Push = Wire<gen.Push>;
export type ErrorBody = Wire<gen.Error>;
export type EmulationRequest = Wire<gen.EmulationRequest>;

export type ClientInfo = Wire<gen.ClientInfo>;
export type Publication = Wire<gen.Publication>;
export type FilterNode = Wire<gen.FilterNode>;

export type JoinPush = Wire<gen.Join>;
export type LeavePush = Wire<gen.Leave>;
export type UnsubscribePush = Wire<gen.Unsubscribe>;
export type MessagePush = Wire<gen.Message>;
export type SubscribePush = Wire<gen.Subscribe>;
export type ConnectPush = Wire<gen.Connect>;
export type DisconnectPush = Wire<gen.Disconnect>;
export type RefreshPush = Wire<gen.Refresh>;

export type ConnectRequest = Wire<gen.ConnectRequest>;
export type ConnectResult = Wire<gen.ConnectResult>;
export type SubscribeRequest = Wire<gen.SubscribeRequest>;
export type SubscribeResult = Wire<gen.SubscribeResult>;
export type UnsubscribeRequest = Wire<gen.UnsubscribeRequest>;
export type UnsubscribeResult = Wire<gen.UnsubscribeResult>;
export type PublishRequest = Wire<gen.PublishRequest>;
export type PublishResult = Wire<gen.PublishResult>;
export type PresenceRequest = Wire<gen.PresenceRequest>;
export type PresenceResult = Wire<gen.PresenceResult>;
export type PresenceStatsRequest = Wire<gen.PresenceStatsRequest>;
export type PresenceStatsResult = Wire<gen.PresenceStatsResult>;
export type HistoryRequest = Wire<gen.HistoryRequest>;
export type HistoryResult = Wire<gen.HistoryResult>;
export type PingRequest = Wire<gen.PingRequest>;
export type PingResult = Wire<gen.PingResult>;
export type SendRequest = Wire<gen.SendRequest>;
export type RpcRequest = Wire<gen.RPCRequest>;
export type RpcResult = Wire<gen.RPCResult>;
export type RefreshRequest = Wire<gen.RefreshRequest>;
export type RefreshResult = Wire<gen.RefreshResult>;
export type SubRefreshRequest = Wire<gen.SubRefreshRequest>;
export type SubRefreshResult = Wire<gen.SubRefreshResult>;
export type TrackBatch = Wire<gen.TrackBatch>;
export type KeyedItem = Wire<gen.KeyedItem>;

/** The argument of the unidirectional gRPC call; a subset of {@link ConnectRequest} with the same numbers. */
export type UniConnectRequest = Wire<uni.ConnectRequest>;

/** Subscription types (client-protocol.md §2.7, `SubscribeRequest.type`). */
export const SUBSCRIPTION_TYPE_STREAM = 0;
export const SUBSCRIPTION_TYPE_MAP = 1;
export const SUBSCRIPTION_TYPE_MAP_CLIENTS = 2;
export const SUBSCRIPTION_TYPE_MAP_USERS = 3;
export const SUBSCRIPTION_TYPE_SHARED_POLL = 4;

/** Phases of a map subscription (`SubscribeRequest.phase`). */
export const MAP_PHASE_LIVE = 0;
export const MAP_PHASE_STREAM = 1;
export const MAP_PHASE_STATE = 2;

/** Bits of `SubscribeRequest.flag`. */
export const SUBSCRIBE_FLAG_CHANNEL_COMPACTION = 1;
export const SUBSCRIBE_FLAG_REJECT_UNRECOVERED = 2;

/** `SubRefreshRequest.type`. */
export const SUB_REFRESH_TYPE_REFRESH = 0;
export const SUB_REFRESH_TYPE_TRACK = 1;
export const SUB_REFRESH_TYPE_UNTRACK = 2;

/** `PublishRequest.type`. */
export const PUBLISH_TYPE_STREAM = 0;
export const PUBLISH_TYPE_MAP = 1;
