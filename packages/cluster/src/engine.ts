import type { BanStore } from './bans.ts';
import type { Broker, LiveReceiver } from './broker.ts';
import type { Control, ControlHandler, SurveyAnswer } from './control.ts';
import type { Presence } from './presence.ts';
import type { UserStatusStore } from './user-status.ts';

/** The ports of one node, made together and closed together. */
export interface ClusterEngine {
  readonly broker: Broker;
  readonly presence: Presence;
  readonly control: Control;
  readonly bans: BanStore;
  readonly userStatus: UserStatusStore;
  /** Why the node can't serve now, or undefined. Read by health checks. */
  unavailable(): string | undefined;
  /** Leaves the cluster: others see it at once. Idempotent. */
  close(): Promise<void>;
}

/** What a service brings: who receives publications, and who obeys commands. */
export interface EngineParts {
  readonly receiver: LiveReceiver;
  readonly handler: ControlHandler;
}

/** Chosen once per process: memory or NATS. Rejects with an `OperationalError` that says what is missing. */
export type CreateEngine = (parts: EngineParts) => Promise<ClusterEngine>;

/** For services without subscribers: nothing is ever joined, so nothing may arrive. */
export const NO_RECEIVER: LiveReceiver = {
  onPublication: ignore,
  onJoin: ignore,
  onLeave: ignore,
  onPositionLost: ignore,
};

const NOTHING_HELD: { readonly [K in SurveyAnswer['kind']]: SurveyAnswer } = {
  channels: { kind: 'channels', channels: new Map() },
  connections: { kind: 'connections', connections: new Map() },
  users: { kind: 'users', users: new Map() },
  stats: { kind: 'stats', stats: { numClients: 0, numUsers: 0, numChannels: 0, numSubs: 0 } },
};

/** For services without sessions: commands find nobody, surveys nothing. */
export const NO_SESSIONS: ControlHandler = {
  apply: async () => 0,
  answer: async ({ kind }) => NOTHING_HELD[kind],
  emulate: async () => {},
};

function ignore(): void {}
