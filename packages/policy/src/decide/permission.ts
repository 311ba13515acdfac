import {
  BAD_REQUEST,
  DISCONNECT_BAD_REQUEST,
  NOT_AVAILABLE,
  PERMISSION_DENIED,
  UNKNOWN_CHANNEL,
} from '@carillon/protocol/codes';

import type { Capabilities, CapabilityOperation } from '../capability/capability.ts';
import type { ChannelFacts } from '../channel/channel-rules.ts';
import { refuse, refuseConnection, type Refusal } from './refusal.ts';

/** Who asks, as far as permission goes. */
export interface Asker {
  /** Empty: anonymous. */
  readonly user: string;
  readonly capabilities: Capabilities;
  /** `client.insecure`: the last resort of every check but that of private channels. */
  readonly insecure: boolean;
}

/** The asker's relation to the channel of the command. */
export interface ChannelStanding {
  /** The subscription is established on this connection. */
  readonly isSubscribed: boolean;
  /** `allow` of the subscription token or the subscribe proxy (tokens.md §10); empty for none. */
  readonly subscriptionAllow: readonly string[];
}

/** The triple of flags that each operation has in a namespace. */
export interface OperationFlags {
  readonly forClient: boolean;
  readonly forSubscriber: boolean;
  readonly forAnonymous: boolean;
}

export const NOT_SUBSCRIBED: ChannelStanding = Object.freeze({ isSubscribed: false, subscriptionAllow: [] });

/** Empty name 3501, unknown namespace 102, bad name 107: what every channel command checks first, in this order. */
export function refuseName(name: string, channel: ChannelFacts | undefined): Refusal | undefined {
  if (name === '') return refuseConnection(DISCONNECT_BAD_REQUEST);
  if (channel === undefined) return refuse(UNKNOWN_CHANNEL);
  if (!channel.isNameValid) return refuse(BAD_REQUEST);
  return undefined;
}

/** The flags, then the capabilities, then insecure mode. The anonymous flag alone grants nothing. */
export function isPermitted(
  asker: Asker,
  standing: ChannelStanding,
  flags: OperationFlags,
  granted: { readonly operation: CapabilityOperation; readonly channel: string },
): boolean {
  const anonymityOk = asker.user !== '' || flags.forAnonymous;
  if (flags.forClient && anonymityOk) return true;
  if (flags.forSubscriber && standing.isSubscribed && anonymityOk) return true;
  if (asker.capabilities.allows(granted.operation, granted.channel)) return true;
  if (standing.isSubscribed && standing.subscriptionAllow.includes(granted.operation)) return true;
  return asker.insecure;
}

/** 108 where the feature is off, 103 where the asker may not use it. */
export function refuseUnless(isAvailable: boolean, isAllowed: () => boolean): Refusal | undefined {
  if (!isAvailable) return refuse(NOT_AVAILABLE);
  return isAllowed() ? undefined : refuse(PERMISSION_DENIED);
}
