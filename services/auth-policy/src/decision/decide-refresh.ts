import { proxyGrpcMethods, proxyMethods, type RefreshRequest, type RefreshResult } from '@carillon/protocol/proxy';

import { decideByResultAlone, withAllowedMeta, withEncoding, type ProxyRule } from './proxy-rule.ts';

/** Whether an expired connection lives on (proxy.md §6.2). */
export const decideRefresh: ProxyRule<RefreshRequest, RefreshResult> = {
  method: { kind: 'refresh', http: proxyMethods.refresh, grpc: proxyGrpcMethods.refresh },
  prepare: (message, options) => withAllowedMeta(withEncoding(message, options), options),
  decide: decideByResultAlone,
};
