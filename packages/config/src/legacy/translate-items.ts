/** Older names inside namespaces, RPC namespaces and named proxies. Items are changed in place. */

import { getRaw, isRawObject, type RawObject, setRaw } from '../read/raw-value.ts';
import { channelFlagTargets, isChannelFlag } from './channel-flags.ts';
import type { TranslateContext } from './translate-flat.ts';

const PROXY_FIELDS: Readonly<Record<string, string>> = {
  static_http_headers: 'http.static_headers',
  http_status_code_transforms: 'http.status_to_code_transforms',
  grpc_compression: 'grpc.compression',
  grpc_credentials_key: 'grpc.credentials_key',
  grpc_credentials_value: 'grpc.credentials_value',
};
const NAMED_EVENTS: readonly string[] = ['subscribe', 'publish', 'sub_refresh', 'subscribe_stream'];

/** Translates every item of the tree. `granular`: a proxy name in a namespace switches the proxy on. */
export function translateItems(tree: RawObject, granular: boolean, context: TranslateContext): void {
  const without = getRaw(tree, ['channel', 'without_namespace']);
  if (isRawObject(without)) translateNamespace(without, 'channel.without_namespace', granular, context);
  for (const [item, path] of itemsAt(tree, 'channel.namespaces')) translateNamespace(item, path, granular, context);
  for (const [item, path] of itemsAt(tree, 'rpc.namespaces')) translateRpcNamespace(item, path, context);
  for (const [item, path] of itemsAt(tree, 'proxies')) translateProxy(item, path, context);
}

function* itemsAt(tree: RawObject, path: string): Generator<readonly [RawObject, string]> {
  const list = getRaw(tree, path.split('.'));
  if (!Array.isArray(list)) return;
  for (const [index, item] of list.entries()) {
    if (isRawObject(item)) yield [item, `${path}[${index}]`];
  }
}

function translateNamespace(item: RawObject, path: string, granular: boolean, context: TranslateContext): void {
  const given = new Set(Object.keys(item));
  const siblings = { ...item };
  for (const [name, value] of Object.entries(siblings)) {
    if (!isChannelFlag(name)) continue;
    delete item[name];
    if (value === null || value === undefined) continue;
    const targets = Object.entries(channelFlagTargets(name, value, siblings));
    for (const [key, inner] of targets) if (!given.has(key)) item[key] ??= inner;
    warnRenamed(
      context,
      `${path}.${name}`,
      targets.map(([key]) => key),
      given,
    );
  }
  if (!granular) return;
  for (const event of NAMED_EVENTS) {
    const name = item[`${event}_proxy_name`];
    if (name !== undefined && name !== '') item[`${event}_proxy_enabled`] ??= true;
  }
}

function translateRpcNamespace(item: RawObject, path: string, context: TranslateContext): void {
  const given = new Set(Object.keys(item));
  if (item['rpc_proxy_name'] !== undefined) {
    const name = item['rpc_proxy_name'];
    delete item['rpc_proxy_name'];
    item['proxy_name'] ??= name;
    if (name !== '') item['proxy_enabled'] ??= true;
    warnRenamed(context, `${path}.rpc_proxy_name`, ['proxy_name', 'proxy_enabled'], given);
  }
  if (item['proxy_rpc'] !== undefined) {
    item['proxy_enabled'] ??= item['proxy_rpc'];
    delete item['proxy_rpc'];
    warnRenamed(context, `${path}.proxy_rpc`, ['proxy_enabled'], given);
  }
}

function translateProxy(item: RawObject, path: string, context: TranslateContext): void {
  for (const [name, target] of Object.entries(PROXY_FIELDS)) {
    const value = item[name];
    if (value === undefined) continue;
    delete item[name];
    const taken = getRaw(item, target.split('.')) !== undefined;
    if (!taken) setRaw(item, target.split('.'), value);
    warnRenamed(context, `${path}.${name}`, [target], new Set(taken ? [target] : []));
  }
}

function warnRenamed(
  context: TranslateContext,
  name: string,
  targets: readonly string[],
  given: ReadonlySet<string>,
): void {
  const use = targets.length === 0 ? 'it has no effect any more' : `use ${targets.join(', ')}`;
  const lost = targets.filter((target) => given.has(target));
  const both = lost.length === 0 ? '' : `; ${lost.join(', ')} is set too and wins`;
  context.warn(`${context.locate(name)}: ${name} is an older name, ${use}${both}`);
}
