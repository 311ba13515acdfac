import { DEFAULT_CHANNEL_OPTIONS, DEFAULT_CHANNEL_SYNTAX, type ChannelOptions } from '@carillon/protocol/channel';

import { createCapabilities, NO_CAPABILITIES } from '../capability/capability.ts';
import { ChannelRules, type ChannelFacts } from '../channel/channel-rules.ts';
import type { Asker } from './permission.ts';
import type { Refusal } from './refusal.ts';

/** For the table tests of this folder: facts of `name` in a cluster whose every namespace, `ns` and none, has these options. */
export function channelWith(name: string, options: Partial<ChannelOptions>): ChannelFacts | undefined {
  const complete = { ...DEFAULT_CHANNEL_OPTIONS, ...options };
  const rules = new ChannelRules({
    syntax: DEFAULT_CHANNEL_SYNTAX,
    withoutNamespace: complete,
    namespaces: new Map([['ns', complete]]),
  });
  return rules.resolve(name);
}

export const ALICE: Asker = { user: 'alice', capabilities: NO_CAPABILITIES, insecure: false };
export const ANONYMOUS: Asker = { ...ALICE, user: '' };
export const INSECURE: Asker = { ...ANONYMOUS, insecure: true };

/** Alice with connection capabilities for every channel. */
export function capable(...allow: string[]): Asker {
  return { ...ALICE, capabilities: createCapabilities([{ channels: ['*'], allow, match: 'wildcard' }]) };
}

/** `103`, `disconnect 3501`, or the kind of any other verdict. */
export function brief(verdict: Refusal | { readonly kind: string } | undefined): string | number {
  if (verdict === undefined) return 'allow';
  if ('error' in verdict) return verdict.error.code;
  if ('disconnect' in verdict) return `disconnect ${verdict.disconnect.code}`;
  return verdict.kind;
}
