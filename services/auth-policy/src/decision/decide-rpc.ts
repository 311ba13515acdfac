import { proxyGrpcMethods, proxyMethods, type RpcRequest, type RpcResult } from '@carillon/protocol/proxy';

import { decideReply, withAllowedMeta, withPayload, type ProxyRule } from './proxy-rule.ts';

/** What an rpc answers (proxy.md §6.6). A null result is empty data. */
export const decideRpc: ProxyRule<RpcRequest, RpcResult> = {
  method: { kind: 'rpc', http: proxyMethods.rpc, grpc: proxyGrpcMethods.rpc },
  prepare: (message, options) => withAllowedMeta(withPayload(message, options), options),
  decide: decideReply,
};
