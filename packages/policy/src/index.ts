export {
  createCapabilities,
  NO_CAPABILITIES,
  type Capabilities,
  type CapabilityOperation,
  type ChannelsCapability,
} from './capability.ts';
export { ChannelRules, isListedUser, type ChannelFacts, type ChannelRulesOptions } from './channel-rules.ts';
export {
  decideConnectChannels,
  personalChannel,
  type ConnectChannelsQuestion,
  type ConnectChannelsVerdict,
} from './connect-channels.ts';
export { decideHistory, hasHistory, hasHistoryAccess } from './decide-history.ts';
export { decideMapPublish, decideMapRemove, type MapWriteQuestion, type MapWriteVerdict } from './decide-map-write.ts';
export { decidePresence, hasPresenceAccess } from './decide-presence.ts';
export { decidePublish, type PublishQuestion, type PublishVerdict } from './decide-publish.ts';
export { decideRpc, type RpcNamespace, type RpcRules, type RpcVerdict } from './decide-rpc.ts';
export {
  decideSubscribe,
  isSubscribeAllowed,
  type SubscribeLimits,
  type SubscribeQuestion,
  type SubscribeVerdict,
} from './decide-subscribe.ts';
export type { Ask, AskOrigin, Decision, DecisionService } from './decision-service.ts';
export { NOT_SUBSCRIBED, type Asker, type ChannelStanding, type OperationFlags } from './permission.ts';
export { effectiveDataFormat, isAcceptedPayload } from './publication-data-format.ts';
export type { Refusal } from './refusal.ts';
export {
  isTagsFilterAllowed,
  NOTHING_REQUESTED,
  subscriptionFeatures,
  type DecidedBy,
  type FeatureQuestion,
  type RequestedFeatures,
  type SubscriptionFeatures,
} from './subscription-features.ts';
export { SUBSCRIPTION_SOURCE, type SubscriptionSource } from './subscription-source.ts';
export { isMapType, wireSubscriptionType } from './subscription-type.ts';
