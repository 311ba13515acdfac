// What the characters of a channel name mean (tokens.md §7, channels-and-config.md §1.1, §1.2).

/** The characters with a meaning. None is ever empty: configuration puts the default back. */
export interface ChannelSyntax {
  readonly privatePrefix: string;
  readonly namespaceBoundary: string;
  readonly userBoundary: string;
  readonly userSeparator: string;
}

export const DEFAULT_CHANNEL_SYNTAX: ChannelSyntax = Object.freeze({
  privatePrefix: '$',
  namespaceBoundary: ':',
  userBoundary: '#',
  userSeparator: ',',
});

/** Default of `channel.max_length`, in bytes. */
export const DEFAULT_CHANNEL_MAX_BYTES = 255;

export interface ParsedChannel {
  /** The complete name; channels are equal exactly when this is. */
  readonly name: string;
  readonly isPrivate: boolean;
  /** Empty: the options of `channel.without_namespace`. */
  readonly namespace: string;
  /**
   * What `channel_regex` is tested on: the part after the namespace, or the complete name (private prefix included) when
   * there is no boundary.
   */
  readonly rest: string;
}

/** Splits a name. Total: any string is a name. */
export function parseChannel(name: string, syntax: ChannelSyntax): ParsedChannel {
  const isPrivate = name.startsWith(syntax.privatePrefix);
  const start = isPrivate ? syntax.privatePrefix.length : 0;
  const boundary = name.indexOf(syntax.namespaceBoundary, start);
  if (boundary === -1) return { name, isPrivate, namespace: '', rest: name };
  const rest = name.slice(boundary + syntax.namespaceBoundary.length);
  return { name, isPrivate, namespace: name.slice(start, boundary), rest };
}

/**
 * The users a user-limited channel admits: what follows the last boundary, exactly as written (an empty entry stays).
 * Undefined when the name has no boundary. Has a meaning only where the namespace allows user-limited channels.
 */
export function userLimit(name: string, syntax: ChannelSyntax): string[] | undefined {
  const boundary = name.lastIndexOf(syntax.userBoundary);
  if (boundary === -1) return undefined;
  return name.slice(boundary + syntax.userBoundary.length).split(syntax.userSeparator);
}

/** Length as `channel.max_length` counts it: UTF-8 bytes. */
export function channelByteLength(name: string): number {
  return Buffer.byteLength(name, 'utf8');
}

/** Whether the name passes the rule for namespaces without `channel_regex`. Control characters and spaces pass. */
export function isAsciiChannel(name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    if (name.charCodeAt(index) >= 0x80) return false;
  }
  return true;
}
