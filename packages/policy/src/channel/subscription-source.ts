/** Why a subscription exists, as `connections` of the server API reports it (server-api.md, ChannelContext.source). */
export interface SubscriptionSources {
  readonly unknown: 0;
  readonly connectionToken: 1;
  readonly connectProxy: 2;
  readonly subscriptionToken: 3;
  readonly subscribeProxy: 4;
  readonly userLimited: 5;
  readonly clientAllowed: 6;
  readonly clientInsecure: 7;
  readonly connectRequest: 8;
  readonly personalChannel: 9;
  readonly serverApi: 10;
  readonly connectionCapability: 11;
  readonly expression: 12;
  readonly streamProxy: 13;
}

export type SubscriptionSource = SubscriptionSources[keyof SubscriptionSources];

export const SUBSCRIPTION_SOURCE: SubscriptionSources = Object.freeze({
  unknown: 0,
  connectionToken: 1,
  connectProxy: 2,
  subscriptionToken: 3,
  subscribeProxy: 4,
  userLimited: 5,
  clientAllowed: 6,
  clientInsecure: 7,
  connectRequest: 8,
  personalChannel: 9,
  serverApi: 10,
  connectionCapability: 11,
  expression: 12,
  streamProxy: 13,
});
