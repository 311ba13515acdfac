import type { BanStore, Broker, Control, Presence, UserStatusStore } from '@carillon/cluster';
import type { ChannelRules } from '@carillon/policy';
import type { Clock } from '@carillon/service-kit';
import type { ChannelDefaults } from '../config.ts';
import type { FollowedCall } from './follow/follow-calls.ts';

/** Rules of channels; replaced as a whole when the configuration is read again. */
export interface ChannelSettings extends ChannelDefaults {
  readonly rules: ChannelRules;
}

/** All that methods can reach. Each takes what it needs of it. */
export interface MethodDeps {
  readonly broker: Broker;
  readonly presence: Presence;
  readonly control: Control;
  readonly bans: BanStore;
  readonly userStatus: UserStatusStore;
  readonly channels: () => ChannelSettings;
  readonly clock: Clock;
}

/**
 * One method: answers a decoded request or throws an `ApiError`. Anything else it throws becomes error 100.
 * It may keep the buffers of the request. `call` is there where requests are followed.
 */
export type MethodHandler<Request, Result> = (request: Request, call?: FollowedCall) => Promise<Result>;
