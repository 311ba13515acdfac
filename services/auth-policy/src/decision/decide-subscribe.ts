import { proxyGrpcMethods, proxyMethods, type SubscribeRequest, type SubscribeResult } from '@carillon/protocol/proxy';

import { decideReply, withAllowedMeta, withPayload, type ProxyRule } from './proxy-rule.ts';

/** Whether a client may subscribe (proxy.md §6.3). A null result allows. */
export const decideSubscribe: ProxyRule<SubscribeRequest, SubscribeResult> = {
  method: { kind: 'subscribe', http: proxyMethods.subscribe, grpc: proxyGrpcMethods.subscribe },
  prepare: (message, options) => withAllowedMeta(withPayload(message, options), options),
  decide: decideReply,
};
