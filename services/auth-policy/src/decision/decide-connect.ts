import { proxyGrpcMethods, proxyMethods, type ConnectRequest, type ConnectResult } from '@carillon/protocol/proxy';

import { decideReply, withPayload, type ProxyRule } from './proxy-rule.ts';

/** Who connects (proxy.md §6.1). A null result is no credentials; there is no meta yet. */
export const decideConnect: ProxyRule<ConnectRequest, ConnectResult> = {
  method: { kind: 'connect', http: proxyMethods.connect, grpc: proxyGrpcMethods.connect },
  prepare: (message, options) => withPayload(message, options),
  decide: decideReply,
};
