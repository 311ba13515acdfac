import { proxyGrpcMethods, proxyMethods, type PublishRequest, type PublishResult } from '@carillon/protocol/proxy';

import { decideReply, withAllowedMeta, withPayload, type ProxyRule } from './proxy-rule.ts';

/** Whether and what a client publishes (proxy.md §6.4). A null result publishes as it is. */
export const decidePublish: ProxyRule<PublishRequest, PublishResult> = {
  method: { kind: 'publish', http: proxyMethods.publish, grpc: proxyGrpcMethods.publish },
  prepare: (message, options) => withAllowedMeta(withPayload(message, options), options),
  decide: decideReply,
};
