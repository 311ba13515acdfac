/**
 * Turns configuration under the names of versions 1 to 5 into the tree of version 6, with one warning per older name.
 * Where both spellings are given, the newer one wins.
 */

import { optionTable } from '../config.ts';
import { fileKey } from '../option/field.ts';
import { itemsOfText } from '../read/build-config.ts';
import { readBool } from '../read/coerce.ts';
import { ConfigError } from '../read/config-error.ts';
import { getRaw, isRawObject, OuterText, type RawObject, setRaw } from '../read/raw-value.ts';
import { channelFlagTargets, isChannelFlag } from './channel-flags.ts';
import { flatTargets, isDurationPath } from './flat-names.ts';
import { inSeconds } from './in-seconds.ts';
import { translateItems } from './translate-items.ts';

/** What the translation needs: the place of a name for messages, and where warnings go. */
export interface TranslateContext {
  readonly locate: (name: string) => string;
  readonly warn: (message: string) => void;
}

const GROUPS: ReadonlyMap<string, boolean> = new Map(
  Object.entries(optionTable).map(([name, field]) => [fileKey(name, field), field.kind === 'group']),
);
/** Groups that were a text or boolean: what a bare value meant. */
const TYPED_GROUPS: ReadonlySet<string> = new Set(['engine', 'broker', 'presence_manager']);
const SWITCHED_GROUPS: ReadonlySet<string> = new Set(
  Object.entries(optionTable).flatMap(([name, field]) =>
    field.kind === 'group' && Object.hasOwn(field.fields, 'enabled') && !TYPED_GROUPS.has(fileKey(name, field))
      ? [fileKey(name, field)]
      : [],
  ),
);

const FIRST_PROXY = 'client.proxy.connect.';
/** Names that give way to another older name for the same option. */
const WEAK_NAMES: readonly string[] = ['secret', 'proxy_extra_http_headers'];

/** Whether a name at the top level is an older one. */
export function isFlatName(name: string): boolean {
  if (TYPED_GROUPS.has(name) || SWITCHED_GROUPS.has(name) || isSpecial(name)) return true;
  return !GROUPS.has(name) && (isChannelFlag(name) || flatTargets(name) !== undefined);
}

const isSpecial = (name: string): boolean =>
  name === 'granular_proxy_mode' || name === 'proxy_grpc_tls' || isGranularName(name) || name.startsWith('sockjs');
const isGranularName = (name: string): boolean => name === 'connect_proxy_name' || name === 'refresh_proxy_name';

/** The version 6 tree of a tree that may use older names. The input is left alone. Throws `ConfigError`. */
export function translateFlat(input: RawObject, context: TranslateContext): RawObject {
  const tree = structuredCloneRaw(input);
  const flat: RawObject = {};
  for (const [name, value] of Object.entries(input)) {
    if (isGroupValue(name, value) || !isFlatName(name)) continue;
    delete tree[name];
    if (value !== null && value !== undefined) flat[name] = value;
  }
  const granular = readBool(flat['granular_proxy_mode']) === true;
  const writer = createWriter(tree, context);
  const names = Object.keys(flat).sort((a, b) => Number(WEAK_NAMES.includes(a)) - Number(WEAK_NAMES.includes(b)));
  for (const name of names) writer.translate(name, flat[name], flat);
  translateItems(tree, granular, context);
  for (const name of ['connect_proxy_name', 'refresh_proxy_name']) {
    if (granular && flat[name] !== undefined) inlineProxy(tree, name, flat[name], context);
  }
  return tree;
}

/** A group in its newer shape. */
function isGroupValue(name: string, value: unknown): boolean {
  return GROUPS.has(name) && (isRawObject(value) || value === null || Array.isArray(value));
}

interface Writer {
  readonly translate: (name: string, value: unknown, flat: RawObject) => void;
}

function createWriter(tree: RawObject, context: TranslateContext): Writer {
  const given = structuredCloneRaw(tree);
  const set = (path: string, value: unknown): boolean => {
    if (getRaw(given, path.split('.')) !== undefined) return false;
    if (getRaw(tree, path.split('.')) === undefined) setRaw(tree, path.split('.'), value);
    return true;
  };
  const setAll = (name: string, values: readonly (readonly [path: string, value: unknown])[]): void => {
    const lost = values.filter(([path, value]) => !set(path, value)).map(([path]) => path);
    const paths = values.map(([path]) => path);
    const inProxies = paths.length > 1 && paths[0]?.startsWith(FIRST_PROXY) && paths[1]?.includes('.proxy.refresh.');
    const places = inProxies ? `${paths[0]?.slice(FIRST_PROXY.length)} of each proxy object` : paths.join(', ');
    const use = values.length === 0 ? 'it has no effect any more' : `use ${places}`;
    const both = lost.length === 0 ? '' : `; ${lost.join(', ')} is set too and wins`;
    context.warn(`${context.locate(name)}: ${name} is an older name, ${use}${both}`);
  };
  return { translate: (name, value, flat) => setAll(name, flatValues(name, value, flat)) };
}

/** Paths and values that a flat name stands for. */
function flatValues(name: string, value: unknown, flat: RawObject): (readonly [string, unknown])[] {
  if (TYPED_GROUPS.has(name)) {
    const type = [`${name}.type`, value] as const;
    return name === 'engine' ? [type] : [type, [`${name}.enabled`, true]];
  }
  if (SWITCHED_GROUPS.has(name)) return [[`${name}.enabled`, value]];
  if (name === 'granular_proxy_mode') return [];
  if (name.startsWith('sockjs')) return [];
  if (isGranularName(name)) return [];
  if (name === 'proxy_grpc_tls') {
    const targets = flatTargets('proxy_grpc_cert_file') ?? [];
    const end = isRawObject(value) ? '' : '.enabled';
    return targets.map((path) => [path.replace(/\.server_ca_pem$/, end), value] as const);
  }
  if (isChannelFlag(name)) {
    const options = channelFlagTargets(name, value, flat);
    return Object.entries(options).map(([key, item]) => [`channel.without_namespace.${key}`, item] as const);
  }
  return renamedValues(name, value);
}

function renamedValues(name: string, value: unknown): (readonly [string, unknown])[] {
  const paths = flatTargets(name) ?? [];
  const result = paths.map((path) => [path, isDurationPath(path) ? inSeconds(value) : value] as const);
  const main = paths[0] ?? '';
  if (main.endsWith('.namespaces') && value instanceof OuterText) return [[main, itemsOfText(value)]];
  const [, event] = /^proxy_(connect|refresh)_endpoint$/.exec(name) ?? [];
  const isSet = value !== '';
  if (event !== undefined && isSet) return [...result, [`client.proxy.${event}.enabled`, true]];
  if (isSet && (name === 'proxy_rpc_endpoint' || name === 'rpc_proxy_name')) {
    return [...result, ['rpc.without_namespace.proxy_enabled', true]];
  }
  if (name === 'proxy_grpc_cert_file') {
    return [...result, ...paths.map((path) => [path.replace(/server_ca_pem$/, 'enabled'), true] as const)];
  }
  // compat: files this old also used tokens that name the connection.
  if (name === 'secret') return [...result, ['client.subscription_token.legacy_client_claim', true]];
  return result;
}

/** compat: connect and refresh named one of the named proxies; now they hold the endpoint themselves. */
function inlineProxy(tree: RawObject, name: string, value: unknown, context: TranslateContext): void {
  const wanted = value instanceof OuterText ? value.text : value;
  if (wanted === '') return;
  const proxies = tree['proxies'];
  const named = (Array.isArray(proxies) ? proxies : []).filter(isRawObject).find((item) => item['name'] === wanted);
  if (named === undefined) {
    throw new ConfigError('read', `${context.locate(name)}: ${name} names no entry of proxies`);
  }
  const path = ['client', 'proxy', name.replace('_proxy_name', '')];
  const own = getRaw(tree, path);
  const { name: _name, ...rest } = named;
  setRaw(tree, path, { ...rest, enabled: true, ...(isRawObject(own) ? own : {}) });
}

function structuredCloneRaw(value: RawObject): RawObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cloneValue(inner)]));
}

function cloneValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cloneValue);
  return isRawObject(value) ? structuredCloneRaw(value) : value;
}
