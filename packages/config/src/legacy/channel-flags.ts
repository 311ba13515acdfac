import { readBool } from '../read/coerce.ts';
import { ConfigError } from '../read/config-error.ts';
import type { RawObject } from '../read/raw-value.ts';
import { inSeconds } from './in-seconds.ts';

/** New options of a namespace with the values an older one stands for. */
export type FlagTargets = Readonly<Record<string, unknown>>;

const RENAMED: Readonly<Record<string, string>> = {
  position: 'force_positioning',
  recover: 'force_recovery',
  history_recover: 'force_recovery',
  proxy_subscribe: 'subscribe_proxy_enabled',
  proxy_publish: 'publish_proxy_enabled',
  proxy_sub_refresh: 'sub_refresh_proxy_enabled',
  proxy_subscribe_stream: 'subscribe_stream_proxy_enabled',
  proxy_subscribe_stream_bidirectional: 'subscribe_stream_proxy_bidirectional',
};

type Rule = (value: boolean, siblings: RawObject) => FlagTargets;
const RULES: Readonly<Record<string, Rule>> = {
  // The subscribe flag for anonymous users alone admits nobody.
  anonymous: (value, siblings) => ({
    allow_publish_for_anonymous: value,
    allow_history_for_anonymous: value,
    allow_presence_for_anonymous: value,
    allow_subscribe_for_anonymous: value,
    ...(value && !isOn(siblings, 'protected') ? { allow_subscribe_for_client: true } : {}),
  }),
  publish: (value, siblings) => ({
    allow_publish_for_anonymous: value,
    ...(isOn(siblings, 'subscribe_to_publish') ? {} : { allow_publish_for_client: value }),
  }),
  subscribe_to_publish: (value) => ({ allow_publish_for_subscriber: value }),
  protected: (value) => ({ allow_subscribe_for_client: !value }),
  presence_disable_for_client: (value) => ({
    allow_presence_for_subscriber: !value,
    allow_presence_for_anonymous: !value,
  }),
  history_disable_for_client: (value) => ({
    allow_history_for_subscriber: !value,
    allow_history_for_anonymous: !value,
  }),
  // Not granting the permission to subscribe is enough.
  server_side: () => ({}),
};

/** Whether namespaces of versions 1 to 5 had this option and those of version 6 do not. */
export function isChannelFlag(name: string): boolean {
  return name === 'history_lifetime' || Object.hasOwn(RENAMED, name) || Object.hasOwn(RULES, name);
}

/** The meaning of an older namespace option (channels-and-config.md 3.14, tokens.md 12.3). Throws `ConfigError`. */
export function channelFlagTargets(name: string, value: unknown, siblings: RawObject): FlagTargets {
  if (name === 'history_lifetime') return { history_ttl: inSeconds(value) };
  const renamed = Object.hasOwn(RENAMED, name) ? RENAMED[name] : undefined;
  if (renamed !== undefined) return { [renamed]: value };
  const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  const flag = readBool(value);
  if (rule === undefined || flag === undefined) throw new ConfigError('read', `${name} must be true or false`);
  return rule(flag, siblings);
}

function isOn(siblings: RawObject, name: string): boolean {
  return readBool(siblings[name]) === true;
}
