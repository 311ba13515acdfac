import { proxyGrpcMethods, proxyMethods, type MapRemoveRequest, type MapRemoveResult } from '@carillon/protocol/proxy';

import { decideReply, withAllowedMeta, withEncoding, type ProxyRule } from './proxy-rule.ts';

/** Whether and what a client removes from a map (proxy.md §6.8). */
export const decideMapRemove: ProxyRule<MapRemoveRequest, MapRemoveResult> = {
  method: { kind: 'map_remove', http: proxyMethods.mapRemove, grpc: proxyGrpcMethods.mapRemove },
  prepare: (message, options) => withAllowedMeta(withEncoding(message, options), options),
  decide: decideReply,
};
