export {
  createCapabilities,
  NO_CAPABILITIES,
  type Capabilities,
  type CapabilityOperation,
  type ChannelsCapability,
} from './capability/capability.ts';
export { ChannelRules, isListedUser, type ChannelFacts, type ChannelRulesOptions } from './channel/channel-rules.ts';
export {
  decideConnectChannels,
  personalChannel,
  type ConnectChannelsQuestion,
  type ConnectChannelsVerdict,
} from './decide/connect-channels.ts';
export { decideHistory, hasHistory, hasHistoryAccess } from './decide/decide-history.ts';
export {
  decideMapPublish,
  decideMapRemove,
  type MapWriteQuestion,
  type MapWriteVerdict,
} from './decide/decide-map-write.ts';
export { decidePresence, hasPresenceAccess } from './decide/decide-presence.ts';
export { decidePublish, type PublishQuestion, type PublishVerdict } from './decide/decide-publish.ts';
export { decideRpc, type RpcNamespace, type RpcRules, type RpcVerdict } from './decide/decide-rpc.ts';
export {
  decideSubscribe,
  isChannelLimitReached,
  isSubscribeAllowed,
  type SubscribeLimits,
  type SubscribeQuestion,
  type SubscribeVerdict,
} from './decide/decide-subscribe.ts';
export type { Ask, AskOrigin, AskTrace, Decision, DecisionService } from './decision-service.ts';
export { NOT_SUBSCRIBED, type Asker, type ChannelStanding, type OperationFlags } from './decide/permission.ts';
export { effectiveDataFormat, isAcceptedPayload } from './channel/publication-data-format.ts';
export type { Refusal } from './decide/refusal.ts';
export {
  isTagsFilterAllowed,
  NOTHING_REQUESTED,
  subscriptionFeatures,
  type DecidedBy,
  type FeatureQuestion,
  type RequestedFeatures,
  type SubscriptionFeatures,
} from './decide/subscription-features.ts';
export { SUBSCRIPTION_SOURCE, type SubscriptionSource } from './channel/subscription-source.ts';
export { isMapType, wireSubscriptionType } from './channel/subscription-type.ts';
export { fromWireDecision, toWireDecision, type WireDecision } from './hop/decision-wire.ts';
export { MessageBatch, type MessageBatchOptions } from './hop/message-batch.ts';
export { fromWireQuestion, toWireQuestion, type WireQuestion } from './hop/question-wire.ts';
export { LimitMeter } from './rate-limit/limit-meter.ts';
export {
  createLimitPlan,
  type CommandLimitRules,
  type LimitedCommand,
  type LimitPlan,
  type LimitRule,
  type LimitSlot,
} from './rate-limit/limit-plan.ts';
export { TokenBuckets, type BucketRule } from './rate-limit/token-buckets.ts';
export type { StreamAsk, StreamEnding, StreamListener, SubscribeStream } from './subscribe-stream.ts';
export { verifyTrack, type TrackQuestion, type TrackSecrets } from './track/verify-track.ts';
