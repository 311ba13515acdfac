import {
  proxyGrpcMethods,
  proxyMethods,
  type SubRefreshRequest,
  type SubRefreshResult,
} from '@carillon/protocol/proxy';

import { decideByResultAlone, withAllowedMeta, withEncoding, type ProxyRule } from './proxy-rule.ts';

/** Whether an expired subscription lives on (proxy.md §6.5). */
export const decideSubRefresh: ProxyRule<SubRefreshRequest, SubRefreshResult> = {
  method: { kind: 'sub_refresh', http: proxyMethods.subRefresh, grpc: proxyGrpcMethods.subRefresh },
  prepare: (message, options) => withAllowedMeta(withEncoding(message, options), options),
  decide: decideByResultAlone,
};
