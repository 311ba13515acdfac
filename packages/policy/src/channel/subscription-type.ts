import type { SubscriptionType } from '@carillon/protocol/channel';
import {
  SUBSCRIPTION_TYPE_MAP,
  SUBSCRIPTION_TYPE_MAP_CLIENTS,
  SUBSCRIPTION_TYPE_MAP_USERS,
  SUBSCRIPTION_TYPE_SHARED_POLL,
  SUBSCRIPTION_TYPE_STREAM,
} from '@carillon/protocol/client';

const REQUESTED: Readonly<Record<SubscriptionType, number>> = {
  '': SUBSCRIPTION_TYPE_STREAM,
  stream: SUBSCRIPTION_TYPE_STREAM,
  map: SUBSCRIPTION_TYPE_MAP,
  map_clients: SUBSCRIPTION_TYPE_MAP_CLIENTS,
  map_users: SUBSCRIPTION_TYPE_MAP_USERS,
  shared_poll: SUBSCRIPTION_TYPE_SHARED_POLL,
};

/** The `type` a client has to send for a namespace of this type. */
export function wireSubscriptionType(type: SubscriptionType): number {
  return REQUESTED[type];
}

export function isKnownWireType(type: number): boolean {
  return Number.isInteger(type) && type >= SUBSCRIPTION_TYPE_STREAM && type <= SUBSCRIPTION_TYPE_SHARED_POLL;
}

export function isMapType(type: SubscriptionType): boolean {
  return type === 'map' || type === 'map_clients' || type === 'map_users';
}
