import {
  proxyGrpcMethods,
  proxyMethods,
  type MapPublishRequest,
  type MapPublishResult,
} from '@carillon/protocol/proxy';

import { decideReply, withAllowedMeta, withPayload, type ProxyRule } from './proxy-rule.ts';

/** Whether and what a client writes into a map (proxy.md §6.8). */
export const decideMapPublish: ProxyRule<MapPublishRequest, MapPublishResult> = {
  method: { kind: 'map_publish', http: proxyMethods.mapPublish, grpc: proxyGrpcMethods.mapPublish },
  prepare: (message, options) => withAllowedMeta(withPayload(message, options), options),
  decide: decideReply,
};
