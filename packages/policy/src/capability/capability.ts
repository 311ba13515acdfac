import { RE2JS } from 're2js';

import { matchesWildcard } from './match-wildcard.ts';

/** Connection capabilities as they come in tokens and proxy results (tokens.md §10). */
export interface ChannelsCapability {
  readonly channels?: readonly string[] | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly match?: string | undefined;
}

/** sub: subscribe; pub: publish; hst: history and positions; prs: presence, join and leave. */
export type CapabilityOperation = 'sub' | 'pub' | 'hst' | 'prs';

/** What one connection may do beyond the flags of namespaces. */
export interface Capabilities {
  /** `channel` is the complete name, namespace and private prefix included. */
  allows(operation: CapabilityOperation, channel: string): boolean;
}

/** Grants nothing. */
export const NO_CAPABILITIES: Capabilities = Object.freeze({ allows: () => false });

type Matcher = (channel: string) => boolean;

/**
 * Union of all objects: granted if any allows the operation and matches the channel; nothing denies. An unknown `match` or
 * a regex that does not compile matches nothing. Patterns are compiled on first use: most connections never need them.
 */
export function createCapabilities(caps: readonly ChannelsCapability[]): Capabilities {
  if (caps.length === 0) return NO_CAPABILITIES;
  const compiled: (readonly Matcher[] | undefined)[] = caps.map(() => undefined);
  return {
    allows: (operation, channel) =>
      caps.some((cap, index) => {
        if (cap.allow === undefined || !cap.allow.includes(operation)) return false;
        const matchers = (compiled[index] ??= compile(cap));
        return matchers.some((matches) => matches(channel));
      }),
  };
}

function compile({ channels = [], match = '' }: ChannelsCapability): readonly Matcher[] {
  switch (match) {
    case '':
      return channels.map((name) => (channel) => channel === name);
    case 'wildcard':
      return channels.map((pattern) => (channel) => matchesWildcard(pattern, channel));
    case 'regex':
      return channels.map(regexMatcher);
    case 'doublestar':
      return channels.map((pattern) => regexMatcher(doublestarSource(pattern)));
    default:
      return [];
  }
}

function regexMatcher(source: string): Matcher {
  const regex = compileOrUndefined(source);
  return regex === undefined ? () => false : (channel) => regex.test(channel);
}

function compileOrUndefined(source: string): RE2JS | undefined {
  try {
    return RE2JS.compile(source);
  } catch {
    // compat: a regex that does not compile matches nothing; the rest of the capabilities stay.
    return undefined;
  }
}

/** `*` stays within a segment, `**` crosses `/` (and stands for no segment at all between slashes), `?` is one character. */
function doublestarSource(pattern: string): string {
  const body = pattern.replaceAll(/(?<=^|\/)\*\*\/|\/\*\*$|\*\*|\*|\?|[^*?]/gsu, (token) => {
    switch (token) {
      case '**/':
        return '(?:.*/)?';
      case '/**':
        return '(?:/.*)?';
      case '**':
        return '.*';
      case '*':
        return '[^/]*';
      case '?':
        return '[^/]';
      default:
        return RE2JS.quote(token);
    }
  });
  return `(?s)^(?:${body})$`;
}
