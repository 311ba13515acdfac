export { BanList, type Ban, type BanKey } from './ban-list.ts';
export { MAX_BANS, type BanListener, type BanStore, type BanView, type TokenFacts } from './bans.ts';
export {
  BrokerError,
  type Broker,
  type BrokerErrorCode,
  type HistoryPage,
  type HistoryRequest,
  type JoinOptions,
  type LivePublication,
  type LiveReceiver,
  type PublishRequest,
  type PublishResult,
  type Retention,
} from './broker.ts';
export type {
  ConnectionSummary,
  Control,
  ControlCommand,
  CommandReach,
  ControlHandler,
  EmulationFrame,
  NodeRecord,
  NodeRole,
  NodeStats,
  SessionSelector,
  SurveyAnswer,
  SurveyQuestion,
  SurveyResult,
  TokenSummary,
} from './control.ts';
export type { Presence, PresenceStats } from './presence.ts';
export { createEpoch, type RandomFill } from './epoch.ts';
export { MAX_USER_STATUS_BYTES, USER_STATUS_TTL_S, type UserStatus, type UserStatusStore } from './user-status.ts';
export type { NodeIdentity } from './node-identity.ts';
export { meteredEngine, type MeteredEngineOptions } from './metered-engine.ts';
export { NO_RECEIVER, NO_SESSIONS, type ClusterEngine, type CreateEngine, type EngineParts } from './engine.ts';
