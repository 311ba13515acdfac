import { METHOD_NOT_FOUND, NOT_AVAILABLE } from '@carillon/protocol/codes';

import { refuse, type Refusal } from './refusal.ts';

export interface RpcRules {
  readonly namespaceBoundary: string;
  readonly withoutNamespace: RpcNamespace;
  readonly namespaces: ReadonlyMap<string, RpcNamespace>;
  readonly ping: { readonly enabled: boolean; readonly method: string };
}

export interface RpcNamespace {
  readonly proxyEnabled: boolean;
  readonly proxyName: string;
}

export type RpcVerdict =
  | { readonly kind: 'ask_proxy'; readonly proxyName: string }
  /** The built-in ping: answered with empty data. */
  | { readonly kind: 'answer_ping' }
  | Refusal;

/** Where an rpc goes (proxy.md §6.6, tokens.md §8.7). No permission rule applies: the backend decides. */
export function decideRpc(method: string, rules: RpcRules): RpcVerdict {
  if (rules.ping.enabled && method === rules.ping.method) return { kind: 'answer_ping' };
  if (!hasProxy(rules)) return refuse(rules.ping.enabled ? METHOD_NOT_FOUND : NOT_AVAILABLE);
  const boundary = method.indexOf(rules.namespaceBoundary);
  const name = boundary <= 0 ? '' : method.slice(0, boundary);
  const namespace = name === '' ? rules.withoutNamespace : rules.namespaces.get(name);
  if (namespace === undefined) return refuse(METHOD_NOT_FOUND);
  if (!namespace.proxyEnabled) return refuse(NOT_AVAILABLE);
  return { kind: 'ask_proxy', proxyName: namespace.proxyName };
}

function hasProxy(rules: RpcRules): boolean {
  return (
    rules.withoutNamespace.proxyEnabled || [...rules.namespaces.values()].some((namespace) => namespace.proxyEnabled)
  );
}
