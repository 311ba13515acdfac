// The questions and answers between the services of a cluster as plain objects.
import type * as gen from '../gen/cluster_pb.ts';
import type { Wire } from '../wire/wire.ts';

export type HeaderValues = Wire<gen.HeaderValues>;
export type DecisionContext = Wire<gen.DecisionContext>;
export type NoDecision = Wire<gen.NoDecision>;
export type DecisionError = Wire<gen.DecisionError>;
export type DecisionDisconnect = Wire<gen.DecisionDisconnect>;
export type ConnectDecisionRequest = Wire<gen.ConnectDecisionRequest>;
export type ConnectDecision = Wire<gen.ConnectDecision>;
export type RefreshDecisionRequest = Wire<gen.RefreshDecisionRequest>;
export type RefreshDecision = Wire<gen.RefreshDecision>;
export type SubscribeDecisionRequest = Wire<gen.SubscribeDecisionRequest>;
export type SubscribeDecision = Wire<gen.SubscribeDecision>;
export type PublishDecisionRequest = Wire<gen.PublishDecisionRequest>;
export type PublishDecision = Wire<gen.PublishDecision>;
export type SubRefreshDecisionRequest = Wire<gen.SubRefreshDecisionRequest>;
export type SubRefreshDecision = Wire<gen.SubRefreshDecision>;
export type RpcDecisionRequest = Wire<gen.RpcDecisionRequest>;
export type RpcDecision = Wire<gen.RpcDecision>;
export type MapPublishDecisionRequest = Wire<gen.MapPublishDecisionRequest>;
export type MapPublishDecision = Wire<gen.MapPublishDecision>;
export type MapRemoveDecisionRequest = Wire<gen.MapRemoveDecisionRequest>;
export type MapRemoveDecision = Wire<gen.MapRemoveDecision>;
export type DecideRequest = Wire<gen.DecideRequest>;
export type DecideReply = Wire<gen.DecideReply>;
