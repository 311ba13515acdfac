import {
  isAsciiChannel,
  parseChannel,
  userLimit,
  type ChannelOptions,
  type ChannelSyntax,
} from '@carillon/protocol/channel';
import { RE2JS } from 're2js';

/** What the rules need to know of one channel. Made by {@link ChannelRules}, never kept beyond one command. */
export interface ChannelFacts {
  readonly name: string;
  /** Empty for `channel.without_namespace`. */
  readonly namespace: string;
  readonly options: ChannelOptions;
  /** Starts with the private prefix. */
  readonly isPrivate: boolean;
  /** Passes the ASCII or regex rule of its namespace (channels-and-config.md §1.1); length is not looked at. */
  readonly isNameValid: boolean;
  /** Undefined where the channel is not user-limited. Entries as written: an empty one admits nobody. */
  readonly allowedUsers: readonly string[] | undefined;
}

export interface ChannelRulesOptions {
  readonly syntax: ChannelSyntax;
  readonly withoutNamespace: ChannelOptions;
  readonly namespaces: ReadonlyMap<string, ChannelOptions>;
}

/**
 * Finds a channel's namespace and what its name means there (tokens.md §7, channels-and-config.md §1.1, §1.2).
 * Made once for a configuration; each namespace's regex is compiled here. A regex that does not compile throws.
 */
export class ChannelRules {
  readonly syntax: ChannelSyntax;
  readonly #withoutNamespace: Namespace;
  readonly #namespaces: ReadonlyMap<string, Namespace>;

  constructor({ syntax, withoutNamespace, namespaces }: ChannelRulesOptions) {
    this.syntax = syntax;
    this.#withoutNamespace = namespaceOf(withoutNamespace);
    this.#namespaces = new Map([...namespaces].map(([name, options]) => [name, namespaceOf(options)]));
  }

  /** Undefined: the name's namespace is not configured (error 102 or as the command says). */
  resolve(name: string): ChannelFacts | undefined {
    const { namespace, rest, isPrivate } = parseChannel(name, this.syntax);
    if (namespace !== '') {
      const found = this.#namespaces.get(namespace);
      if (found !== undefined) return this.#facts(name, rest, { namespace, isPrivate }, found);
      // The personal channel of the user `a:b` is `#a:b`. No namespace is called `#a`, so none is read out of a user ID.
      if (!namespace.startsWith(this.syntax.userBoundary)) return undefined;
      return this.#facts(name, name, { namespace: '', isPrivate }, this.#withoutNamespace);
    }
    return this.#facts(name, rest, { namespace, isPrivate }, this.#withoutNamespace);
  }

  #facts(
    name: string,
    rest: string,
    { namespace, isPrivate }: { namespace: string; isPrivate: boolean },
    { options, regex }: Namespace,
  ): ChannelFacts {
    return {
      name,
      namespace,
      options,
      isPrivate,
      isNameValid: regex === undefined ? isAsciiChannel(name) : regex.test(rest),
      allowedUsers: options.allowUserLimitedChannels ? userLimit(name, this.syntax) : undefined,
    };
  }
}

interface Namespace {
  readonly options: ChannelOptions;
  readonly regex: RE2JS | undefined;
}

function namespaceOf(options: ChannelOptions): Namespace {
  return { options, regex: options.channelRegex === '' ? undefined : RE2JS.compile(options.channelRegex) };
}

/** Whether a user-limited channel lists the user. Nobody is anonymous and listed: upstream lets `""` match `x#` (A15). */
export function isListedUser(channel: ChannelFacts, user: string): boolean {
  return user !== '' && channel.allowedUsers !== undefined && channel.allowedUsers.includes(user);
}
